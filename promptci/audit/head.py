"""The head of the audit log as releases and deployments name it, so that a log which is cut off later is found."""

from pathlib import Path

from promptci.audit import log
from promptci.errors import PromptciError
from promptci.git.data_branch import DataBranch, find_branch
from promptci.lazy_dataclass import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditHead:
    """What a release or deployment says of the audit log."""

    trailer: str = ""
    """Value of `Audit-head`; empty where there is no log."""
    warning: str = ""
    """Why there is no value although there is a log."""


def find_audit_head(root: Path, remote: str, *, fetch: bool = False) -> AuditHead:
    """Return the head of the audit log that this clone knows; `fetch` asks the remote for it first.

    A log that cannot be read, or was rewritten, stops no release and no rollback: it is a warning.
    """
    branch = find_branch(root, remote)
    try:
        files = branch.fetch() if fetch else branch.files()
        head = log.read_head(files if files.commit else DataBranch(root=root).files())
    except PromptciError as error:
        reason = " ".join(str(error).split())
        return AuditHead(warning=f"no Audit-head is written, because the audit log cannot be used: {reason}")
    return AuditHead(trailer=str(head or ""))
