"""The footer of every comment: which run wrote it, and whether the base has moved since."""

import re

from promptci.publish.github.api import GitHub, GitHubError
from promptci.publish.runner.context import ActionContext

SHORT = 7
_PLAIN = re.compile(r"[A-Za-z0-9._/-]{1,100}")


def render_footer(context: ActionContext, moved_to: str | None) -> str:
    """Return the footer's lines; `moved_to` is the present commit of the base's branch, if it has moved."""
    attempt = f", attempt {context.run_attempt}" if context.run_attempt > 1 else ""
    line = f"<sub>[Run {context.run_id}](<{context.run_url}>){attempt} · commit `{context.head_sha[:SHORT]}`</sub>"
    return f"\n\n{_render_moved_base(context, moved_to)}{line}\n"


def find_moved_base(context: ActionContext, github: GitHub) -> str | None:
    """Return the present commit of the base's branch; None if it has not moved or is unknown."""
    branch = context.branch("base")
    if branch is None or context.base_sha is None:
        return None
    try:
        now = github.branch_sha(branch)
    except GitHubError:
        return None
    return now if now != context.base_sha else None


def _render_moved_base(context: ActionContext, moved_to: str | None) -> str:
    if moved_to is None:
        return ""
    name = context.branch("base") or ""
    shown = f"`{name}`" if _PLAIN.fullmatch(name) else "The base branch"  # whoever named it, it says nothing but that
    return (
        f"> {shown} has moved since: this run knew it at `{(context.base_sha or '')[:SHORT]}`, and now it stands at "
        f"`{moved_to[:SHORT]}`. Update the branch to test both together.\n\n"
    )
