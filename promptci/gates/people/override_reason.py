"""The reason of an override: a comment `/promptci override REASON`, a trailer of the head commit, or the PR's text."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

from promptci.lazy_dataclass import dataclass
from promptci.reviews import Person, WrittenComment
from promptci.wording import short_sha

MAX_REASON_CHARS = 500
MAX_PEOPLE = 10
"""People whose comments are considered, so that those of strangers cost no more requests."""
NO_REASON = "there is no reason; comment `/promptci override REASON`"

_COMMAND = re.compile(r"/promptci override(?:[ \t]+(.*))?")
_SHA = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True, kw_only=True, slots=True)
class OverrideReason:
    """A reason that somebody gave."""

    text: str
    source: Literal["comment", "trailer", "body"]
    by: Person | None = None
    """Who wrote the comment; None also for the other sources, which anybody may have written."""
    at: datetime | None = None
    names_head: bool = False
    """Whether a comment has the head's whole name. A short one does not count: a commit for it is made in minutes."""
    refusal: str | None = None
    """Why it does not count whoever wrote it; None where it may."""


def find_comment_reasons(comments: Sequence[WrittenComment], head: str, first: Person) -> Iterator[OverrideReason]:
    """Yield the reasons in comments, newest first, those by one person before all others."""
    commands = [(comment, match) for comment in reversed(comments) if (match := _COMMAND.match(comment.text))]
    commands.sort(key=lambda item: item[0].by != first)
    people: set[Person | None] = set()
    for comment, match in commands:
        people.add(comment.by)
        if len(people) <= MAX_PEOPLE:
            yield _read_comment(comment, match[1] or "", head)


def find_text_reasons(trailer: str | None, body: str, head: str) -> Iterator[OverrideReason]:
    """Yield the reasons in the head commit's message and in the pull request's text."""
    if trailer is not None:
        yield _refuse_empty(OverrideReason(text=_clean(trailer), source="trailer"))
    for line in body.splitlines():
        match = _COMMAND.match(line)
        if match:
            text, named = _split_commit(match[1] or "")
            reason = OverrideReason(text=text, source="body", refusal=_refuse_other_commit(named, head))
            yield _refuse_empty(reason)


def _read_comment(comment: WrittenComment, words: str, head: str) -> OverrideReason:
    text, named = _split_commit(words)
    refusal = _refuse_other_commit(named, head)
    if comment.edited:
        refusal = "the comment with the reason was edited; write a new one"
    reason = OverrideReason(
        text=text, source="comment", by=comment.by, at=comment.at, names_head=named == head, refusal=refusal
    )
    return _refuse_empty(reason)


def _split_commit(words: str) -> tuple[str, str | None]:
    """Return the reason, and the commit that it begins with; None without one."""
    first, _, rest = words.strip().partition(" ")
    return (_clean(rest), first) if _SHA.fullmatch(first) else (_clean(words), None)


def _refuse_other_commit(named: str | None, head: str) -> str | None:
    if named is None or head.startswith(named):
        return None
    return f"the reason names the commit `{short_sha(named)}`, and the head is `{short_sha(head)}`"


def _refuse_empty(reason: OverrideReason) -> OverrideReason:
    if reason.text or reason.refusal:
        return reason
    return OverrideReason(text="", source=reason.source, by=reason.by, at=reason.at, refusal=NO_REASON)


def _clean(text: str) -> str:
    """Return a reason on one line; "" for one without a letter or digit."""
    line = " ".join(text.split())
    if not any(sign.isalnum() for sign in line):
        return ""
    return line if len(line) <= MAX_REASON_CHARS else line[: MAX_REASON_CHARS - 1] + "…"
