"""`FoundDecision`: a decision that a command found, and the key by which the log is known to have it already."""

from collections.abc import Sequence
from datetime import datetime

from promptci.audit import log
from promptci.audit.entry import AuditEntry
from promptci.audit.log import NewEntry
from promptci.git.data_branch import BranchFiles
from promptci.lazy_dataclass import dataclass
from promptci.registry.release import parse_moment

DecisionKey = tuple[str, ...]
RUNNING = frozenset(("released", "deployed", "promoted", "rolled-back"))
"""Of these, one commit decides one thing about a version: their keys are the same, whatever the change was called."""
BY_DIGEST = frozenset(("checked", "blocked", "overridden"))
"""The report that they are read from is in their key."""
BY_RULES = frozenset(("held",))
"""Each look finds them again: only another reason is another decision."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundDecision:
    """A decision, and what is recorded of it."""

    key: DecisionKey
    """The same in every clone and at every time."""
    moment: datetime
    description: str
    entry: NewEntry


def decision_key(
    kind: str, *, prompt: str = "", environment: str = "", version: str = "", commit: str = "", evidence: str = ""
) -> DecisionKey:
    """Return the key of a decision."""
    return "" if kind in RUNNING else kind, prompt, environment, version, commit, evidence


def key_of(entry: AuditEntry) -> DecisionKey:
    """Return the key of an entry."""
    evidence = entry.evidence[0].sha256 if entry.evidence and entry.what in BY_DIGEST else ""
    if entry.what == "log-mended":
        evidence = entry.why
    return decision_key(
        entry.what,
        prompt=entry.prompt or "",
        environment=entry.environment or "",
        version=entry.to.version if entry.to else "",
        commit=entry.change.commit if entry.change and entry.change.commit else "",
        evidence=" ".join(entry.rules) if entry.what in BY_RULES else evidence,
    )


def find_missing(files: BranchFiles, decisions: Sequence[FoundDecision]) -> list[FoundDecision]:
    """Return the decisions that the log does not have; raises InputError for a line that is no entry."""
    known = {key_of(log.parse_entry(line)) for line in log.read_lines(files)}
    missing = []
    for decision in decisions:
        if decision.key not in known:
            known.add(decision.key)
            missing.append(decision)
    return missing


def is_digest(text: str) -> bool:
    """Return whether a text is a SHA-256."""
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


def to_utc(written: str | None) -> str | None:
    """Return a time as entries have it; None for none."""
    moment = parse_moment(written or "")
    return None if moment.year < 1970 else f"{moment:%Y-%m-%dT%H:%M:%SZ}"
