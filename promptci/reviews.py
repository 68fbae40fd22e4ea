"""What people did about a pull request on GitHub, as data, and the protocol to ask for it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from promptci.lazy_dataclass import dataclass

PERMISSIONS = ("none", "read", "triage", "write", "maintain", "admin")
"""What a person may do in a repository, from nothing to everything."""


class Person(NamedTuple):
    """An account; the number stays the same where the login changes."""

    login: str
    id: int
    is_bot: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewedChange:
    """A pull request as it stands now."""

    author: Person | None
    """None where the account is gone."""
    head_sha: str
    labels: tuple[str, ...]
    body: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelEvent:
    """A label was put on or taken off."""

    label: str
    added: bool
    by: Person | None
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenComment:
    """A comment of the conversation."""

    by: Person | None
    at: datetime
    edited: bool
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Review:
    """A review; a person's last one that approves, asks for changes or was dismissed is what she thinks."""

    by: Person | None
    state: str
    """`APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`, `DISMISSED` or `PENDING`."""
    commit: str | None
    """The head commit at that time."""
    at: datetime | None


class ChangeReviews(Protocol):
    """One pull request; every method raises PromptciError where GitHub does not answer."""

    def change(self) -> ReviewedChange:
        """Return the pull request as it stands now."""
        ...

    def label_events(self) -> Sequence[LabelEvent]:
        """Return the putting on and taking off of labels, oldest first."""
        ...

    def written_comments(self) -> Sequence[WrittenComment]:
        """Return the comments, oldest first."""
        ...

    def reviews(self) -> Sequence[Review]:
        """Return the reviews, oldest first."""
        ...

    def pushed_at(self) -> datetime | None:
        """Return when the head was pushed, by GitHub's clock; None where GitHub does not know."""
        ...

    def permission(self, person: Person) -> str:
        """Return what a person may do now, one of PERMISSIONS."""
        ...

    def is_member(self, person: Person, team: str) -> bool:
        """Return whether a person is in a team, `organization/team`."""
        ...


def may(permission: str, least: str) -> bool:
    """Return whether a permission includes another."""
    return permission in PERMISSIONS and PERMISSIONS.index(permission) >= PERMISSIONS.index(least)


def current_reviews(reviews: Iterable[Review]) -> list[Review]:
    """Return the review that counts of each person: the last one that is more than a comment."""
    by_person: dict[int, Review] = {}
    for review in reviews:
        if review.by is not None and review.state in {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"}:
            by_person.pop(review.by.id, None)
            by_person[review.by.id] = review
    return list(by_person.values())
