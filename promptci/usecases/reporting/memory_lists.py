"""What a memory holds, for people and for programs: verdicts, how often they were correct, and flaky cases."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Literal

from pydantic import BaseModel, Field

from promptci.documents.document import Document
from promptci.lazy_dataclass import dataclass
from promptci.memory import flaky
from promptci.memory.gate_precision import Precision, compute_precision, precision_by_rule
from promptci.memory.model import Feedback, VerdictRecord
from promptci.memory.store import Past
from promptci.present import formatting
from promptci.report.model.report import PrecisionView
from promptci.report.text import memory_text

NOTES = "What could not be read; where there are any, the lists may lack something."


@dataclass(frozen=True, kw_only=True, slots=True)
class VerdictRow(VerdictRecord):
    """The gate's verdict on one prompt in one check, and the last label that a person gave it."""

    feedback: Feedback | None = None
    """None: not labelled."""


class VerdictsDocument(Document):
    """The verdicts of a memory, newest first."""

    schema_: Literal["promptci/memory-verdicts/v1"] = Field(default="promptci/memory-verdicts/v1", alias="schema")
    advised: bool = Field(description="Whether these are only the verdicts that blocked, or would have.")
    verdicts: list[VerdictRow]
    notes: list[str] = Field(description=NOTES)


class PrecisionDocument(Document):
    """How often `fail` was correct, by people's labels."""

    schema_: Literal["promptci/memory-precision/v1"] = Field(default="promptci/memory-precision/v1", alias="schema")
    overall: PrecisionView
    rules: dict[str, PrecisionView] = Field(description="By rule; a verdict with two rules counts for both.")
    unlabelled: list[str] = Field(description="Ids of the `fail` verdicts that nobody labelled yet.")
    notes: list[str] = Field(description=NOTES)


class FlakyCaseCounts(BaseModel):
    """A case that passed and failed under the same conditions."""

    case: str
    digest: str = Field(description="Of the case's text, and of the judge where one scores it.")
    passes: int
    fails: int
    share: float = Field(description="Share of the rarer outcome, at most 0.5.")


class PromptNoise(BaseModel):
    """The flaky cases of one prompt, and how often two runs of one version disagree."""

    prompt: str
    flaky: list[FlakyCaseCounts]
    discordance: float | None = Field(
        description="Expected share of cases whose result differs between two runs; null: no case was asked twice."
    )
    cases: int = Field(description="Cases with two answers or more, by which the discordance is measured.")
    answers: int = Field(description="Answers to these.")


class FlakyDocument(Document):
    """The flaky cases of every prompt of which answers were counted."""

    schema_: Literal["promptci/memory-flaky/v1"] = Field(default="promptci/memory-flaky/v1", alias="schema")
    prompts: list[PromptNoise]
    notes: list[str] = Field(description=NOTES)


def list_verdicts(past: Past, *, blocking_only: bool) -> VerdictsDocument:
    """Return the verdicts, newest first; `blocking_only`: those that blocked, or would have."""
    feedback = past.latest_feedback
    verdicts = [verdict for verdict in past.verdicts if verdict.blocks or not blocking_only]
    rows = [
        VerdictRow(
            **{field.name: getattr(verdict, field.name) for field in fields(verdict)}, feedback=feedback.get(verdict.id)
        )
        for verdict in sorted(verdicts, key=lambda verdict: verdict.at, reverse=True)
    ]
    return VerdictsDocument(advised=blocking_only, verdicts=rows, notes=list(past.notes))


def verdict_lines(document: VerdictsDocument) -> Iterator[str]:
    """Yield a line per verdict."""
    yield from map(_verdict_line, document.verdicts)
    if not document.verdicts:
        yield "No verdict would have blocked." if document.advised else "There are no verdicts yet."


def _verdict_line(verdict: VerdictRow) -> str:
    if verdict.pull_request:
        place = f"{verdict.repository or ''}#{verdict.pull_request}"
    else:
        place = formatting.short_sha(verdict.head)
    measured = ""
    if verdict.delta is not None:
        counts = f"{verdict.broken} broken, {verdict.fixed} fixed of {verdict.pairs}"
        measured = f", {formatting.signed_points(verdict.delta)}, {counts}, unadjusted {formatting.p_value(verdict.p)}"
    labelled = ""
    if (feedback := verdict.feedback) is not None:
        labelled = f"; labelled {feedback.label}{f' by {feedback.by}' if feedback.by else ''}: {feedback.why}"
    result = f"{verdict.verdict} ({', '.join(verdict.rules)}{measured})"
    return f"{verdict.id}  {verdict.at}  {verdict.mode}  {verdict.prompt}: {result}  {place}{labelled}"


def measure_precision(past: Past) -> PrecisionDocument:
    """Return how often `fail` was correct, overall and by rule."""
    feedback = past.latest_feedback
    failed_ids = [verdict.id for verdict in past.verdicts if verdict.verdict == "fail"]
    by_rule = precision_by_rule(past.verdicts, feedback)
    return PrecisionDocument(
        overall=_precision_view(compute_precision(past.verdicts, feedback)),
        rules={rule: _precision_view(precision) for rule, precision in by_rule.items()},
        unlabelled=[verdict_id for verdict_id in failed_ids if verdict_id not in feedback],
        notes=list(past.notes),
    )


def _precision_view(precision: Precision) -> PrecisionView:
    interval = precision.interval
    return PrecisionView(
        verdicts=precision.verdicts,
        labelled=precision.labelled,
        correct=precision.correct,
        interval=None if interval is None else (interval.lo, interval.hi),
    )


def precision_lines(document: PrecisionDocument) -> Iterator[str]:
    """Yield what a person reads."""
    yield memory_text.describe_precision(document.overall)
    for rule, precision in document.rules.items():
        yield f"  {rule}: {memory_text.describe_precision(precision)}"
    if document.unlabelled:
        yield f"Not labelled yet: {', '.join(document.unlabelled)}"


def find_flaky_cases(past: Past) -> FlakyDocument:
    """Return the flaky cases of each prompt, and how often two runs of one version disagree."""
    prompts = sorted({record.prompt for record in past.cases})
    return FlakyDocument(prompts=[_measure_noise(past, prompt) for prompt in prompts], notes=list(past.notes))


def _measure_noise(past: Past, prompt: str) -> PromptNoise:
    measured = flaky.measure_discordance(past.cases, prompt)
    flaky_cases = [
        FlakyCaseCounts(case=case.case, digest=case.digest, passes=case.passes, fails=case.fails, share=case.share)
        for case in flaky.find_flaky_cases(past.cases, prompt)
    ]
    return PromptNoise(
        prompt=prompt,
        flaky=flaky_cases,
        discordance=None if measured is None else measured.rate,
        cases=0 if measured is None else measured.cases,
        answers=0 if measured is None else measured.answers,
    )


def flaky_lines(document: FlakyDocument) -> Iterator[str]:
    """Yield what a person reads."""
    for noise in document.prompts:
        yield f"{noise.prompt}: {formatting.count(len(noise.flaky), 'flaky case')}; {_describe_noise(noise)}"
        for case in noise.flaky:
            times = formatting.count(case.passes + case.fails, "time")
            yield f"  {case.case}: passed {case.passes} of {times}, the rarer outcome {formatting.percent(case.share)}"
    if not document.prompts:
        yield "No answers have been counted yet."


def _describe_noise(noise: PromptNoise) -> str:
    if noise.discordance is None:
        return "no case was asked twice, so its noise is unknown"
    cases = formatting.count(noise.cases, "case")
    return f"two runs of one version disagree on {formatting.percent(noise.discordance)} of {cases}"
