"""The head of the audit log: its last line, which releases and deployments name so that a shortened log is found."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from promptci.git import command, user_git

HISTORY_BRANCH = "promptci/history"
AUDIT_FOLDER = "audit"
TRAILER = "Audit-head"
MAX_SEGMENT_BYTES = 256 * 2**20


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditHead:
    """What a trailer says of the audit log."""

    trailer: str = ""
    """`1841 db6b3472…`: number and SHA-256 of the last line, its line feed left out; empty where there is no log."""
    warning: str = ""
    """Why there is no trailer although there is a log."""


def read_audit_head(root: Path, remote: str, *, fetch: bool = False) -> AuditHead:
    """Return the head of the audit log that this clone knows; `fetch` asks the remote for it first.

    A log that cannot be read stops no release and no rollback: it is a warning.
    """
    tracked = f"refs/remotes/{remote}/{HISTORY_BRANCH}"
    if fetch:
        # Not forced: a branch that was rewritten leaves what is known here as it is.
        user_git.try_user_git(root, "fetch", "--quiet", "--no-tags", remote, f"refs/heads/{HISTORY_BRANCH}:{tracked}")
    for ref in (tracked, f"refs/heads/{HISTORY_BRANCH}"):
        if command.try_git(root, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}").returncode == 0:
            return _read(root, ref)
    return AuditHead()


def _read(root: Path, ref: str) -> AuditHead:
    listed = command.run_git(root, "ls-tree", "-z", "--long", ref, f"{AUDIT_FOLDER}/")
    segments = sorted(
        (path, details.split()) for details, _, path in (entry.partition("\t") for entry in command.split_nul(listed))
    )
    segments = [(path, details) for path, details in segments if path.endswith(".jsonl") and details[1] == "blob"]
    if not segments:
        return AuditHead()
    path, details = segments[-1]
    if int(details[3]) > MAX_SEGMENT_BYTES:
        return AuditHead(warning=f"{ref}: {path} is over {MAX_SEGMENT_BYTES // 2**20} MiB")
    line = command.run_git(root, "cat-file", "blob", details[2]).rstrip(b"\n").rpartition(b"\n")[2]
    number = _number_of(line)
    if number is None:
        return AuditHead(warning=f"{ref}: the last line of {path} is not a line of an audit log")
    return AuditHead(trailer=f"{number} {sha256(line).hexdigest()}")


def _number_of(line: bytes) -> int | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    number = value.get("n") if isinstance(value, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) and number >= 0 else None
