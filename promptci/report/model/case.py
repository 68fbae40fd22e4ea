"""CaseView: one golden case with both answers and their scores."""

from typing import Literal

from pydantic import Field

from promptci.report.model.numbers import Proportion, ViewModel, Weight


class MarkView(ViewModel):
    """The result of one assertion on one answer."""

    name: str
    type: str
    passed: bool | None = Field(description="null: unscored.")
    score: float | None
    reason: str
    judge: str | None = Field(default=None, description="The judge that scored it; null: code did.")
    advisory: bool = Field(default=False, description="True: it is reported and does not count.")


class AnswerView(ViewModel):
    """One answer of one version."""

    text: str | None = Field(description="null: the call failed.")
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


class TallyView(ViewModel):
    """Fresh answers of one version to one case, as the memory counts them (neither cached nor missing)."""

    arm: Literal["base", "head"]
    model: str | None
    passes: int
    fails: int
    on_disagreement: bool = Field(default=False, description="Asked again because the versions disagreed.")


class CaseView(ViewModel):
    """One golden case with one answer of each version: the first replicate that shows the outcome."""

    id: str
    change: Literal["same", "new", "changed"]
    outcome: Literal["broken", "fixed", "same", "incomplete", "base-only", "head-only"]
    critical: bool
    weight: Weight = Field(default=1.0, description="How much it counts in the quality, relative to the others.")
    tags: list[str] = Field(default=[])
    input: str = Field(description="The case's variables as text.")
    expected: str | None
    digest: str | None = Field(default=None, description="Of the case's text, and of its judge if it has one.")
    flaky: bool = Field(default=False, description="Has flipped in earlier runs without a change.")
    tallies: list[TallyView] = Field(default=[])
    base_pass_rate: Proportion | None
    head_pass_rate: Proportion | None
    base: AnswerView | None
    head: AnswerView | None
    excluded_reason: str | None = Field(default=None, description="Why the case does not count; null: it counts.")
