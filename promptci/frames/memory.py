"""DataFrame of the memory that checks keep: one row for each verdict, with what people said about it."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from promptci.frames.table import build_table
from promptci.memory.store import Memory, Retention

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "id", "at", "repository", "pull_request", "prompt", "status", "mode", "verdict", "blocks", "rules", "p", "delta",
    "pairs", "broken", "fixed", "measure", "base", "head", "base_commit", "head_commit", "label", "why",
)  # fmt: skip

KEEP_DAYS = 36_500
"""What lies in the folder is shown, however old."""


def load_verdicts(folder: str | Path = ".promptci/memory") -> "pd.DataFrame":
    """Return the verdicts of earlier checks, oldest first; empty where the folder does not exist.

    `base` and `head` are the quality of both versions from 0 to 1, `label` is `correct` or `incorrect` where somebody
    labelled the verdict.

    Raises
    ------
    UsageError
        If pandas is not installed.
    """
    past = Memory(Path(folder), today=datetime.now(UTC).date(), retention=Retention(keep_days=KEEP_DAYS)).read()
    rows = []
    for verdict in past.verdicts:
        feedback = past.latest_feedback.get(verdict.id)
        base, head = verdict.quality or (None, None)
        row = asdict(verdict) | {"base_commit": verdict.base, "head_commit": verdict.head, "base": base, "head": head}
        row |= {"rules": ", ".join(verdict.rules)}
        row |= {"label": feedback.label, "why": feedback.why} if feedback else {}
        rows.append({name: row.get(name) for name in COLUMNS})
    return build_table(rows, COLUMNS, times=("at",))
