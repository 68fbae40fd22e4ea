"""Who acts: the workflow's actor, or the person whom git knows."""

from collections.abc import Mapping
from pathlib import Path

from promptci.audit.entry import Actor
from promptci.git import command

MAX_CHARS = 500


def find_actor(root: Path, environ: Mapping[str, str]) -> Actor:
    """Return who acts in this process."""
    if environ.get("GITHUB_ACTIONS") == "true":
        account = environ.get("GITHUB_ACTOR_ID", "")
        run = (
            "/".join(environ.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY"))
            + f"/actions/runs/{environ.get('GITHUB_RUN_ID', '')}"
        )
        return Actor(
            kind="workflow",
            actor=_one_line(environ.get("GITHUB_ACTOR", "")) or None,
            actor_id=int(account) if account.isdecimal() and len(account) < 16 else None,
            event=_one_line(environ.get("GITHUB_EVENT_NAME", "")) or None,
            run=_one_line(run),
        )
    name = command.try_git(root, "log", "-1", "--format=%cn").stdout.decode(errors="replace").strip()
    for key in ("GIT_COMMITTER_NAME", "USER"):
        name = environ.get(key) or name
    return Actor(kind="person", actor=_one_line(name) or None)


def _one_line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:MAX_CHARS]
