"""What promptci asks of GitHub: six verbs, and the four ways in which GitHub says no."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from promptci.errors import PromptciError

State = Literal["success", "failure", "error", "pending"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Comment:
    """A comment of a pull request's conversation."""

    id: int
    """Numbers rise with time: the smallest is the oldest."""
    body: str
    author: str
    """Login; "" where the account is gone."""
    url: str


class GitHubError(PromptciError):
    """GitHub did not do what was asked of it."""


class Forbidden(GitHubError):  # noqa: N818 - named as GitHub's answer is
    """The token may not do this, or the conversation is locked."""


class NotFound(GitHubError):  # noqa: N818 - named as GitHub's answer is
    """It is not there, or not shown to this token."""


class TooLong(GitHubError):  # noqa: N818 - named as GitHub's answer is
    """The text has more characters than GitHub takes."""


class Unavailable(GitHubError):  # noqa: N818 - named as GitHub's answer is
    """GitHub cannot be reached, asks to wait longer than we can, or gives an answer that makes no sense."""


class GitHub(Protocol):
    """One repository on GitHub, as a token sees it."""

    def viewer_login(self) -> str:
        """Give the login under which the token writes."""
        ...

    def comments(self, number: int) -> Iterable[Comment]:
        """Give every comment of the pull request's conversation, oldest first."""
        ...

    def create_comment(self, number: int, body: str) -> Comment:
        """Add a comment."""
        ...

    def update_comment(self, comment_id: int, body: str) -> Comment:
        """Replace a comment's text."""
        ...

    def delete_comment(self, comment_id: int) -> None:
        """Take a comment away; one that is gone already is NotFound."""
        ...

    def set_status(self, sha: str, state: State, context: str, description: str, target_url: str) -> None:
        """Put a status beside a commit; a later one of the same context takes its place."""
        ...
