"""CaseView: one golden case with both answers and what was made of them."""

from typing import Literal

from pydantic import Field

from promptci.report.model.base import Share, View


class MarkView(View):
    """One assertion on one answer."""

    name: str
    type: str
    passed: bool | None = Field(description="null: unscored.")
    score: float | None
    reason: str
    judge: str | None = Field(default=None, description="Who gave it, where code did not.")
    advisory: bool = Field(default=False, description="True: it has no weight and decides nothing.")


class AnswerView(View):
    """One answer of one version."""

    text: str | None = Field(description="null where the call failed.")
    passed: bool | None = Field(description="null: missing data.")
    score: float | None
    error: str | None
    marks: list[MarkView] = Field(default=[])
    model: str | None = None
    fingerprint: str | None = None
    finish_reason: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    latency_ms: float | None = None
    cost_usd: float | None = None
    cached: bool = False
    flags: list[str] = Field(default=[], description="Why a person should read this answer.")


class TallyView(View):
    """Fresh answers of one version to one case, as the history counts them; from the cache or missing: not counted."""

    arm: Literal["base", "head"]
    model: str | None
    passes: int
    fails: int
    chosen: bool = Field(default=False, description="Asked again because the versions disagreed.")


class CaseView(View):
    """One golden case with both answers (the first replicate that shows the outcome)."""

    id: str
    change: Literal["same", "new", "changed"]
    outcome: Literal["broken", "fixed", "same", "incomplete", "base-only", "head-only"]
    critical: bool
    tags: list[str] = Field(default=[])
    asked: str = Field(description="The case's variables, in words.")
    expected: str | None
    digest: str | None = Field(default=None, description="Of the case's text, and of the judge where one marks it.")
    flaky: bool = Field(default=False, description="Has flipped by itself in an earlier run.")
    tallies: list[TallyView] = Field(default=[])
    base_pass_rate: Share | None
    head_pass_rate: Share | None
    base: AnswerView | None
    head: AnswerView | None
    aside: str | None = Field(default=None, description="Why the case decides nothing; null: it counts.")
