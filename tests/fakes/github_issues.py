"""The issues of the fake GitHub's repository: what is kept of each, and what GitHub refuses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LONGEST_TITLE = 256
LONGEST_BODY = 65_536


@dataclass(kw_only=True)
class KnownIssue:
    """An issue as GitHub keeps it."""

    number: int
    title: str
    body: str
    author: str
    labels: tuple[str, ...] = ()
    state: str = "open"
    state_reason: str | None = None
    is_pull: bool = False

    def change(self, sent: Mapping[str, Any]) -> None:
        """Take over the fields of a request."""
        for name in ("title", "body", "state", "state_reason"):
            setattr(self, name, sent.get(name, getattr(self, name)))


class Issues:
    """All issues; numbers begin at 100, so that none is the number of a pull request of a test."""

    def __init__(self) -> None:
        self.by_number: dict[int, KnownIssue] = {}
        self.switched_on = True

    @property
    def open(self) -> list[KnownIssue]:
        """The open issues, the oldest first."""
        return [known for known in self.by_number.values() if known.state == "open"]

    def add(self, title: str, body: str, author: str = "somebody", labels: tuple[str, ...] = ()) -> int:
        """Let `author` open an issue, and give its number."""
        number = 100 + len(self.by_number)
        self.by_number[number] = KnownIssue(number=number, title=title, body=body, author=author, labels=labels)
        return number

    def listed(self, state: str, pulls: Sequence[Mapping[str, Any]]) -> list[KnownIssue]:
        """Return what GitHub lists: pull requests among the issues, the oldest first."""
        as_issues = [
            KnownIssue(number=pull["number"], title="A change", body=pull["body"], author=pull["owner"], is_pull=True)
            for pull in ({"body": "", **pull} for pull in pulls)
        ]
        return [each for each in (*as_issues, *self.by_number.values()) if state in {each.state, "all"}]

    def refusal(self, sent: Mapping[str, Any]) -> str | None:
        """Return why GitHub does not take the fields of a request."""
        if len(sent.get("title", "")) > LONGEST_TITLE:
            return f"title is too long (maximum is {LONGEST_TITLE} characters)"
        if len(sent.get("body") or "") > LONGEST_BODY:
            return f"body is too long (maximum is {LONGEST_BODY} characters)"
        return None
