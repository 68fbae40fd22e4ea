"""What becomes of a pull request's comment: every write is recorded, and in a dry run none is sent."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal, cast

from promptci.lazy_dataclass import dataclass
from promptci.publish.github.api import Comment, GitHub


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedComment:
    """The comment as it was written last."""

    action: Literal["created", "updated"]
    id: int
    body: str
    url: str
    """Empty where it would be a new one."""


class CommentRecorder:
    """A repository on GitHub whose comments are recorded on their way; everything else is passed on as it is."""

    def __init__(self, github: GitHub, *, dry_run: bool) -> None:
        self._github = github
        self._dry_run = dry_run
        self._seen: dict[int, Comment] = {}
        self.written: RecordedComment | None = None

    def as_github(self) -> GitHub:
        """Return this object by the protocol's type, which does not see `__getattr__`."""
        return cast("GitHub", self)

    def __getattr__(self, name: str) -> Any:
        """Pass everything but writes of comments on."""
        return getattr(self._github, name)

    def comments(self, number: int) -> Iterable[Comment]:
        """Return every comment of the pull request's conversation, oldest first."""
        comments = list(self._github.comments(number))
        self._seen = {comment.id: comment for comment in comments}
        return comments

    def create_comment(self, number: int, body: str) -> Comment:
        """Add a comment."""
        if self._dry_run:
            comment = Comment(id=2**63, body=body, author=self._github.viewer_login() or "", url="")
        else:
            comment = self._github.create_comment(number, body)
        self.written = RecordedComment(action="created", id=comment.id, body=body, url=comment.url)
        return comment

    def update_comment(self, comment_id: int, body: str) -> Comment:
        """Replace a comment's text."""
        if self._dry_run:
            comment = replace(self._seen[comment_id], body=body)
        else:
            comment = self._github.update_comment(comment_id, body)
        self.written = RecordedComment(action="updated", id=comment_id, body=body, url=comment.url)
        return comment

    def delete_comment(self, comment_id: int) -> None:
        """Take a comment away: a duplicate, or the new one where another run was faster."""
        if not self._dry_run:
            self._github.delete_comment(comment_id)
        if self.written is not None and self.written.id == comment_id:
            self.written = None
