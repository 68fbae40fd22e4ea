"""Who is named in an entry of the audit log."""

from collections.abc import Mapping
from pathlib import Path

from promptci.audit.entry import Actor
from promptci.git import command
from promptci.registry.tag_message import one_line


def find_actor(root: Path, environ: Mapping[str, str]) -> Actor:
    """Return who records: the workflow's actor, or the person whom git knows."""
    if environ.get("GITHUB_ACTIONS") == "true":
        account = environ.get("GITHUB_ACTOR_ID", "")
        run = find_run_url(environ)
        return Actor(
            kind="workflow",
            actor=one_line(environ.get("GITHUB_ACTOR", "")) or None,
            actor_id=int(account) if account.isdecimal() and len(account) < 16 else None,
            event=one_line(environ.get("GITHUB_EVENT_NAME", "")) or None,
            run=one_line(run) if run else None,
        )
    name = command.try_git(root, "log", "-1", "--format=%cn").stdout.decode(errors="replace").strip()
    for key in ("GIT_COMMITTER_NAME", "USER"):
        name = environ.get(key) or name
    return Actor(kind="person", actor=one_line(name) or None)


def find_run_url(environ: Mapping[str, str]) -> str | None:
    """Return the address of the workflow run; None outside one."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (environ.get(name) for name in names)
    return f"{server}/{repository}/actions/runs/{run}" if server and repository and run else None
