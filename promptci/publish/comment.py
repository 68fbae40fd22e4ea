"""The one comment of a pull request: found by its marker and its author, updated in place, never doubled."""

import hashlib
import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Literal

from promptci.lazy_dataclass import dataclass
from promptci.publish.github.api import Comment, Forbidden, GitHub, GitHubError, NotFound, TooLong
from promptci.verdict import ORDER, Verdict

PREFIX = "<!-- promptci:v1 "
SEVERITY = {verdict.value: rank for rank, verdict in enumerate(ORDER)}
FRAME_BYTES = 1_000
"""Largest size of marker and footer in a comment."""
Action = Literal["created", "updated", "skipped-newer", "none", "forbidden", "failed"]

_MARKER = re.compile(
    r"<!-- promptci:v1 key=(?P<key>\S+)(?: run=(?P<run>[0-9]{1,18}) attempt=(?P<attempt>[0-9]{1,9})"
    r" head=\S*(?: verdict=(?P<verdict>[a-z-]+))?)? -->"
)
_NOT_IN_KEY = re.compile(r"[^A-Za-z0-9._/]+")
_MAX_KEY_CHARS = 100
_NEWER = "the comment was left alone: it already shows a newer run, or a worse verdict of this one"
_STRANGER = "an earlier comment, written by another account, was left as it is"
_PERMISSION = "Give the job `permissions: pull-requests: write`."


@dataclass(frozen=True, kw_only=True, slots=True)
class Marker:
    """The comment's first line, invisible to readers: the owner of the comment, and the run."""

    key: str
    """Which of several promptci steps of one repository."""
    run: int
    attempt: int
    head: str
    verdict: Verdict | None = None
    """Where jobs of one run attempt share a comment, the worst verdict is kept."""

    def __str__(self) -> str:
        """Return the line; the key can neither end the HTML comment nor carry a space."""
        verdict = f" verdict={self.verdict}" if self.verdict is not None else ""
        return f"{PREFIX}key={slug(self.key)} run={self.run} attempt={self.attempt} head={slug(self.head)}{verdict} -->"

    @property
    def run_order(self) -> tuple[int, int, int]:
        """Later runs and later attempts of one run are greater; within one attempt, worse verdicts."""
        return self.run, self.attempt, SEVERITY.get(str(self.verdict), 0)

    @property
    def one_time(self) -> str:
        """Return the line for a comment that is never updated; no sticky comment is ever found by it."""
        return f"{PREFIX}once {str(self).removeprefix(PREFIX)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedComment:
    """The result of publishing the comment."""

    action: Action
    url: str | None = None
    note: str | None = None
    """What the user should know; None if all went well."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Text:
    marker: Marker
    full: str
    short: str
    one_time: bool = False

    @property
    def first_line(self) -> str:
        """The marker."""
        return self.marker.one_time if self.one_time else str(self.marker)


def slug(key: str) -> str:
    """Return the key in letters, digits, `.`, `_`, `/` and `~`; not `-`, because two of them end an HTML comment."""
    short = _NOT_IN_KEY.sub("~", key) or "~"
    if len(short) <= _MAX_KEY_CHARS:
        return short
    return f"{short[:60]}~{hashlib.sha256(short.encode()).hexdigest()[:32]}"


def publish_sticky(
    github: GitHub, number: int, body: str, marker: Marker, *, fallback_body: str, create: bool
) -> PublishedComment:
    """Update the pull request's comment, or add it if `create` allows.

    `fallback_body` is sent where GitHub finds `body` too long. What GitHub refuses becomes a note, never an error:
    the verdict does not hang on a comment.
    """
    text = _Text(marker=marker, full=body, short=fallback_body)
    return _noted(number, lambda: _publish(github, number, text, create))


def add_comment(github: GitHub, number: int, body: str, marker: Marker, *, fallback_body: str) -> PublishedComment:
    """Add a new comment for this run, whatever comments exist."""
    text = _Text(marker=marker, full=body, short=fallback_body, one_time=True)
    return _noted(
        number, lambda: PublishedComment(action="created", url=_send(text, partial(github.create_comment, number)).url)
    )


def _noted(number: int, act: Callable[[], PublishedComment]) -> PublishedComment:
    try:
        return act()
    except Forbidden as error:
        return PublishedComment(action="forbidden", note=_forbidden(error))
    except NotFound:
        note = (
            f"the comment was not posted: this token is not shown pull request {number}; give it pull-requests: write"
        )
        return PublishedComment(action="failed", note=note)
    except GitHubError as error:
        return PublishedComment(action="failed", note=f"the comment was not posted: {error}")


def _publish(github: GitHub, number: int, text: _Text, create: bool) -> PublishedComment:
    login = github.viewer_login()
    ours = [comment for comment in _find_marked_comments(github, number, text.marker) if _may_be_ours(comment, login)]
    for place, existing in enumerate(ours):
        if _is_newer(ours, text.marker):
            return PublishedComment(action="skipped-newer", url=existing.url, note=_NEWER)
        try:
            updated = _send(text, partial(github.update_comment, existing.id))
        except NotFound:  # deleted since it was listed
            continue
        except Forbidden:
            if login is not None or (len(ours) == place + 1 and not create):
                raise
            continue  # another app's
        _fold(github, [other for other in ours[place + 1 :] if other.author == existing.author])
        _restore(github, number, text, updated.id)
        return PublishedComment(action="updated", url=updated.url)
    if not create:
        return PublishedComment(action="none")
    created = _send(text, partial(github.create_comment, number))
    return _verify_created(github, number, text, created)


def _may_be_ours(comment: Comment, login: str | None) -> bool:
    """Return whether this token's account wrote the comment; an app cannot ask who it is, but it is a bot."""
    return comment.is_bot if login is None else comment.author == login


def _restore(github: GitHub, number: int, text: _Text, comment_id: int) -> None:
    """Write again if an older run, which had looked before this one wrote, has replaced the text meanwhile."""
    try:
        written = [comment for comment in github.comments(number) if comment.id == comment_id]
        run_order = _read(written[0].body, text.marker.key) if written else None
        if run_order is not None and run_order < text.marker.run_order:
            _send(text, partial(github.update_comment, comment_id))
    except GitHubError:  # the text was sent; only the second look failed
        return


def _verify_created(github: GitHub, number: int, text: _Text, created: Comment) -> PublishedComment:
    """Check again after creating: if two runs both found no comment, the later one deletes its own.

    Asked by the new comment's author, which is certain, where the login before was an assumption.
    """
    try:
        others = [comment for comment in _find_marked_comments(github, number, text.marker) if comment.id != created.id]
        elders = [comment for comment in others if comment.author == created.author and comment.id < created.id]
        if not elders:
            strangers = [comment for comment in others if comment.author != created.author]
            return PublishedComment(action="created", url=created.url, note=_STRANGER if strangers else None)
        if _is_newer(elders, text.marker):
            github.delete_comment(created.id)
            return PublishedComment(action="skipped-newer", url=elders[0].url, note=_NEWER)
        updated = _send(text, partial(github.update_comment, elders[0].id))
        _fold(github, [*elders[1:], created])
        return PublishedComment(action="updated", url=updated.url)
    except GitHubError as error:
        note = f"the comment was posted; whether another stands beside it could not be seen: {error}"
        return PublishedComment(action="created", url=created.url, note=note)


def _find_marked_comments(github: GitHub, number: int, marker: Marker) -> list[Comment]:
    """Return the comments with this key by any author, the oldest first."""
    comments = [comment for comment in github.comments(number) if _read(comment.body, marker.key) is not None]
    return sorted(comments, key=lambda comment: comment.id)


def _read(body: str, key: str) -> tuple[int, int, int] | None:
    """Return run, attempt and severity of a comment with this key; None for every other comment."""
    match = _MARKER.match(body)
    if match is None or match["key"] != slug(key):
        return None
    return int(match["run"] or 0), int(match["attempt"] or 0), SEVERITY.get(match["verdict"] or "", 0)


def _is_newer(comments: Iterable[Comment], marker: Marker) -> bool:
    return any((_read(comment.body, marker.key) or (0, 0, 0)) > marker.run_order for comment in comments)


def _send(text: _Text, send: Callable[[str], Comment]) -> Comment:
    """Send the full text, or the short one if that is too long."""
    try:
        return send(f"{text.first_line}\n{text.full}")
    except TooLong:
        return send(f"{text.first_line}\n{text.short}")


def _fold(github: GitHub, comments: Iterable[Comment]) -> None:
    """Delete our duplicates; one that cannot be deleted is not an error."""
    for comment in comments:
        try:
            github.delete_comment(comment.id)
        except GitHubError:
            continue


def _forbidden(error: Forbidden) -> str:
    if "locked" in error.message.lower():
        return "the comment was not posted: the conversation of this pull request is locked"
    return (
        f"the comment was not posted: the token may not write it. {_PERMISSION} "
        f"In a fork's pull request the token is read-only. GitHub says: {error.message}"
    )
