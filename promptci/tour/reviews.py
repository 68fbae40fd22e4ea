"""`PlayedReviews`: what GitHub would say about a pull request of the play."""

from collections.abc import Sequence
from datetime import datetime

from promptci.lazy_dataclass import dataclass
from promptci.reviews import LabelEvent, Person, Review, ReviewedChange, WrittenComment

LABEL = "promptci-override"
STAFF = ("ann", "ben", "cem", "dora")
MAINTAINERS = ("ann", "ben")


def find_person(name: str) -> Person:
    """Return the account of somebody who works at the shop."""
    return Person(login=name, id=STAFF.index(name) + 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlayedReviews:
    """A pull request that a maintainer overrode, by the label and a comment."""

    author: str
    head: str
    pushed: datetime
    by: str
    reason: str
    at: datetime

    def change(self) -> ReviewedChange:
        """Return the pull request, with the label on it."""
        return ReviewedChange(author=find_person(self.author), head_sha=self.head, labels=(LABEL,), body="")

    def label_events(self) -> Sequence[LabelEvent]:
        """Return who put the label on."""
        return (LabelEvent(label=LABEL, added=True, by=find_person(self.by), at=self.at),)

    def written_comments(self) -> Sequence[WrittenComment]:
        """Return the comment with the reason."""
        text = f"/promptci override {self.reason}"
        return (WrittenComment(by=find_person(self.by), at=self.at, edited=False, text=text),)

    def reviews(self) -> Sequence[Review]:
        """Return none."""
        return ()

    def pushed_at(self) -> datetime:
        """Return when the head was pushed."""
        return self.pushed

    def permission(self, person: Person) -> str:
        """Return what a person may do."""
        return "maintain" if person.login in MAINTAINERS else "write"

    def is_member(self, person: Person, team: str) -> bool:
        """Return that nobody is."""
        return False
