"""Lines of a memory for tests."""

from datetime import date
from pathlib import Path
from typing import Any

from promptci.memory.model import CaseRecord, Feedback, VerdictRecord
from promptci.memory.store import Memory, Retention

TODAY = date(2026, 6, 30)
AT = "2026-06-30T10:00:00Z"


def verdict(name: str = "v1", **options: Any) -> VerdictRecord:
    fields: dict[str, Any] = {
        "at": AT,
        "base": "a" * 40,
        "head": "b" * 40,
        "prompt": "order",
        "status": "changed",
        "fingerprints": ("f1", "f2"),
        "mode": "advise",
        "verdict": "fail",
        "blocks": True,
        "rules": ("regression",),
        "p": 0.001,
        "delta": -0.2,
        "pairs": 60,
        "broken": 12,
        "fixed": 0,
    }
    return VerdictRecord(id=name, **{**fields, **options})


def feedback(name: str = "v1", label: Any = "correct", **options: Any) -> Feedback:
    return Feedback(id=name, label=label, **{"at": AT, "why": "read the answers", **options})


def case(passes: int = 1, fails: int = 0, name: str = "c1", **options: Any) -> CaseRecord:
    fields: dict[str, Any] = {
        "run": "r1",
        "at": AT,
        "prompt": "order",
        "fingerprint": "f1",
        "digest": "d1",
        "model": "fake-1",
    }
    return CaseRecord(case=name, passes=passes, fails=fails, **{**fields, **options})


def memory(folder: Path, **options: Any) -> Memory:
    return Memory(folder, today=TODAY, label="kept", retention=Retention(**options))
