"""The commit status: a verdict beside the commit, in words that fit."""

from dataclasses import dataclass
from typing import Literal

from promptci.publish.github.api import Forbidden, GitHub, GitHubError, State
from promptci.publish.runner.workflow_commands import safe_line
from promptci.verdict import Verdict

MAX_DESCRIPTION_CHARS = 140
"""GitHub refuses a longer description."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CommitStatus:
    """What stands beside the commit."""

    state: State
    context: str
    """The status's name, by which branch protection knows it."""
    description: str
    target_url: str
    """Where its link leads: the run."""


def status_state(verdict: Verdict, blocking: bool) -> State:
    """Give the state of a verdict; `blocking` is whether the run ends with another exit code than 0.

    An `error` is never green, and what only advises is never red.
    """
    if verdict is Verdict.ERROR:
        return "error"
    return "failure" if blocking else "success"


def check_conclusion(verdict: Verdict, blocking: bool) -> Literal["success", "failure"]:
    """Give a check run's conclusion; never `neutral` or `skipped`, which branch protection takes for a pass."""
    return "success" if status_state(verdict, blocking) == "success" else "failure"


def publish_status(github: GitHub, sha: str, status: CommitStatus) -> str | None:
    """Put the status beside the commit; what GitHub refuses becomes a note."""
    text = shorten_description(safe_line(status.description))
    try:
        github.set_status(sha, status.state, status.context, text, status.target_url)
    except Forbidden as error:
        return (
            "the commit status was not set: the token may not write it. Give the job `permissions: statuses: write`. "
            f"In a fork's pull request the token is read-only. GitHub says: {error.message}"
        )
    except GitHubError as error:
        return f"the commit status was not set: {error}"
    return None


def shorten_description(text: str) -> str:
    """Give at most 140 characters, counted as GitHub may count them: a sign beyond U+FFFF as two."""
    if _units(text) <= MAX_DESCRIPTION_CHARS:
        return text
    kept = text[: MAX_DESCRIPTION_CHARS - 1]
    while _units(kept) > MAX_DESCRIPTION_CHARS - 1:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2
