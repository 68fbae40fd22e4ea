"""`promptci/night/v1`: one line for each prompt and night, on the history branch."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from promptci.documents.document import Document
from promptci.drift.reference import Day

NIGHT_PATH = "nights/%Y/%m-%d.jsonl"
"""On the history branch, by the day in UTC."""
ANSWERS_PATH = "answers/%Y/%m-%d.jsonl.gz"
KEEP_NIGHTS_DAYS = 3 * 365
KEEP_ANSWERS_DAYS = 35


class DriftVerdict(StrEnum):
    """What one night says about one prompt."""

    STEADY = "steady"
    LEARNING = "learning"
    """The reference is not whole: only a cliff is an alarm."""
    DRIFT = "drift"
    JUDGE_MOVED = "judge-moved"
    NOT_COMPARABLE = "not-comparable"
    OUTAGE = "outage"
    ERROR = "error"


GREEN = frozenset({DriftVerdict.STEADY, DriftVerdict.LEARNING})
UNASKED = frozenset({DriftVerdict.OUTAGE, DriftVerdict.ERROR})
"""Nights that have no marks."""


def _require_time(text: str) -> str:
    try:
        datetime.fromisoformat(text)  # nights are counted by their day
    except ValueError:
        raise ValueError("not a time; write it like 2026-03-02T03:17:00Z") from None
    return text


class NightLine(Document):
    """One prompt in one night. A line is never changed later."""

    schema_: Literal["promptci/night/v1"] = Field(default="promptci/night/v1", alias="schema")
    at: Annotated[str, AfterValidator(_require_time)] = Field(description="Time in UTC.")
    run: str | None = Field(default=None, description="Id of the workflow run.")
    prompt: str
    version: str
    fingerprint: str
    goldens: str
    judge: str
    reference: str | None = Field(default=None, description="SHA-256 of the reference's file; null: there is none.")
    model: str
    models: tuple[str, ...] = Field(default=(), description="Models that answered, as the responses name them.")
    system_fingerprint: tuple[str, ...] = ()
    n: int = Field(description="Cases.")
    marks: str = Field(description="One sign a case: 1 right, 0 wrong, - missing, a to i for scores of 0.1 to 0.9.")
    quality: float | None = None
    drop: float | None = Field(default=None, description="Quality of the reference minus this night's.")
    errors: int = 0
    refusals: int = 0
    changed: int | None = Field(default=None, description="Cases whose mark is not what most of the reference's were.")
    p50_ms: float | None = None
    p95_ms: float | None = None
    output_tokens: float | None = Field(default=None, description="Mean of an answer.")
    usd: str | None = None
    cusum: float = Field(default=0.0, description="Sum of the drops after this night.")
    h: float | None = Field(default=None, description="Limit of that sum.")
    since: Day | None = Field(default=None, description="First night of the drift that is open; null: none is.")
    steady: int = Field(default=0, description="Steady nights in a row.")
    verdict: DriftVerdict

    @property
    def day(self) -> str:
        """Its day in UTC."""
        return self.at[:10]


def render_marks(cases: Iterable[str], marks: Mapping[str, float]) -> str:
    """Return one sign for each case, in their order."""
    return "".join(_sign(marks.get(case)) for case in cases)


def _sign(mark: float | None) -> str:
    if mark is None:
        return "-"
    if mark in {0.0, 1.0}:
        return str(int(mark))
    return "abcdefghi"[min(max(round(10 * mark), 1), 9) - 1]
