"""What promptci asks of GitHub, and the four ways in which GitHub says no."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Protocol

from promptci.errors import PromptciError
from promptci.lazy_dataclass import dataclass

State = Literal["success", "failure", "error", "pending"]
Remark = Mapping[str, str | int]
"""An annotation of a check run, with the names that GitHub gives its parts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comment:
    """A comment of a pull request's conversation."""

    id: int
    """Numbers rise with time: the smallest is the oldest."""
    body: str
    author: str
    """Login; "" where the account is gone."""
    is_bot: bool = False
    """Whether an app wrote it."""
    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PostedStatus:
    """A status of a commit as GitHub lists it."""

    state: State
    description: str
    target_url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PullRequest:
    """A pull request as it stands now."""

    number: int
    head_sha: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckRun:
    """What stands among a commit's checks."""

    sha: str
    name: str
    conclusion: Literal["success", "failure"]
    title: str
    summary: str
    external_id: str
    """By which it is found again where GitHub's answer to its making was lost."""
    details_url: str


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

    def viewer_login(self) -> str | None:
        """Return the login under which the token writes; None for the token of an app, which may not ask."""
        ...

    def comments(self, number: int) -> Iterable[Comment]:
        """Return every comment of the pull request's conversation, oldest first."""
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

    def statuses(self, sha: str, context: str) -> list[PostedStatus]:
        """Return the statuses of a commit with this context, newest first."""
        ...

    def create_check_run(self, run: CheckRun, remarks: Sequence[Remark]) -> int:
        """Put a finished check run beside a commit, with at most 50 remarks, and give its number."""
        ...

    def add_remarks(self, check_run_id: int, run: CheckRun, remarks: Sequence[Remark], existing_count: int) -> None:
        """Add at most 50 remarks to the `existing_count` already there; each once, also where an answer is lost."""
        ...

    def pull(self, number: int) -> PullRequest:
        """Return a pull request as it stands now."""
        ...

    def pulls_from(self, owner: str, branch: str) -> list[PullRequest]:
        """Return the pull requests that come from a branch of `owner`'s, open or not, those touched last first."""
        ...

    def branch_sha(self, name: str) -> str:
        """Return the commit at which a branch stands now."""
        ...
