"""What stands below every comment: which run wrote it, and whether the base has moved since."""

import re

from promptci.publish.github.api import GitHub, GitHubError
from promptci.publish.runner.context import ActionContext

SHORT = 7
_PLAIN = re.compile(r"[A-Za-z0-9._/-]{1,100}")


def render_footer(context: ActionContext, moved_to: str | None) -> str:
    """Return the lines that go below the report; `moved_to` is where the base's branch stands now, if elsewhere."""
    attempt = f", attempt {context.run_attempt}" if context.run_attempt > 1 else ""
    line = f"<sub>[Run {context.run_id}](<{context.run_url}>){attempt} · commit `{context.head_sha[:SHORT]}`</sub>"
    return f"\n\n{_moved(context, moved_to)}{line}\n"


def find_moved_base(context: ActionContext, github: GitHub) -> str | None:
    """Return the commit at which the base's branch stands now; None where it has not moved, or GitHub does not say."""
    branch = context.branch("base")
    if branch is None or context.base_sha is None:
        return None
    try:
        now = github.branch_sha(branch)
    except GitHubError:
        return None
    return now if now != context.base_sha else None


def _moved(context: ActionContext, moved_to: str | None) -> str:
    if moved_to is None:
        return ""
    name = context.branch("base") or ""
    shown = f"`{name}`" if _PLAIN.fullmatch(name) else "The base branch"  # whoever named it, it says nothing but that
    return (
        f"> {shown} has moved since: this run knew it at `{(context.base_sha or '')[:SHORT]}`, and now it stands at "
        f"`{moved_to[:SHORT]}`. Update the branch to test both together.\n\n"
    )
