"""The commit status: the verdict, in words that fit."""

import re
from typing import Literal

from promptci.lazy_dataclass import dataclass
from promptci.publish.github.api import Forbidden, GitHub, GitHubError, PostedStatus, State
from promptci.publish.runner.workflow_commands import safe_line
from promptci.verdict import Verdict

MAX_DESCRIPTION_CHARS = 140
"""GitHub refuses a longer description."""
SEVERITY = {"success": 0, "pending": 1, "failure": 2, "error": 3}
_RUN_URL = re.compile(r"/actions/runs/([0-9]{1,18})(?:/attempts/([0-9]{1,9}))?$")


@dataclass(frozen=True, kw_only=True, slots=True)
class CommitStatus:
    """A commit status."""

    state: State
    context: str
    """Name of the status in branch protection."""
    description: str
    target_url: str
    """Address of the run."""


def status_state(verdict: Verdict, blocking: bool, *, overridden: bool = False) -> State:
    """Return the state of a verdict; `blocking` is whether the run ends with another exit code than 0.

    An `error` is green only where somebody with the right overrode it, and what only advises is never red.
    """
    if verdict is Verdict.ERROR and not overridden:
        return "error"
    return "failure" if blocking else "success"


def check_conclusion(verdict: Verdict, blocking: bool) -> Literal["success", "failure"]:
    """Return a check run's conclusion; never `neutral` or `skipped`, which branch protection takes for a pass."""
    return "success" if status_state(verdict, blocking) == "success" else "failure"


def publish_status(github: GitHub, sha: str, status: CommitStatus) -> str | None:
    """Set the status of a commit; what GitHub refuses becomes a note.

    A newer run's status is left alone. Of several jobs of one run attempt that share a name, the worst stands.
    """
    try:
        return _set_status(github, sha, status)
    except Forbidden as error:
        return (
            "the commit status was not set: the token may not write it. Give the job `permissions: statuses: write`. "
            f"In a fork's pull request the token is read-only. GitHub says: {error.message}"
        )
    except GitHubError as error:
        return f"the commit status was not set: {error}"


def _set_status(github: GitHub, sha: str, status: CommitStatus) -> str | None:
    own = run_order(status.target_url)
    posted = _list_statuses(github, sha, status.context)
    if any(run_order(other.target_url) > own for other in posted):
        return "the commit status was left alone: a newer run has set it"
    worse = _find_worst(posted, own)
    if worse is not None and SEVERITY[worse.state] > SEVERITY[status.state]:
        return "the commit status was left alone: another job of this run ended worse"
    text = shorten_description(safe_line(status.description))
    github.set_status(sha, status.state, status.context, text, status.target_url)
    # Read again: of two runs that end together, each may have looked before the other wrote.
    posted = _list_statuses(github, sha, status.context)
    newest = [other for other in posted if run_order(other.target_url) > own]
    standing = newest[0] if newest else _find_worst(posted, own)
    if standing is not None and posted[0] != standing:
        github.set_status(sha, standing.state, status.context, standing.description, standing.target_url)
    return None


def _list_statuses(github: GitHub, sha: str, context: str) -> list[PostedStatus]:
    """Return the statuses so far; none if the token may write but not read them."""
    try:
        return github.statuses(sha, context)
    except GitHubError:
        return []


def _find_worst(posted: list[PostedStatus], run: tuple[int, int]) -> PostedStatus | None:
    """Return the worst status of one run attempt, of equals the newest."""
    own = [status for status in posted if run_order(status.target_url) == run]
    return max(own, key=lambda status: SEVERITY[status.state], default=None)


def run_order(url: str) -> tuple[int, int]:
    """Return run id and attempt of a run's address; later runs are greater. (0, 0) for another address."""
    match = _RUN_URL.search(url)
    return (int(match[1]), int(match[2] or 1)) if match else (0, 0)


def shorten_description(text: str) -> str:
    """Return at most 140 characters, counted as GitHub may count them: a sign beyond U+FFFF as two."""
    if _units(text) <= MAX_DESCRIPTION_CHARS:
        return text
    kept = text[: MAX_DESCRIPTION_CHARS - 1]
    while _units(kept) > MAX_DESCRIPTION_CHARS - 1:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2
