"""Build the view of one golden case: which answers to show, and their results."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from promptci.report.build import judge_view
from promptci.report.model import json_safe
from promptci.report.model.report import AnswerView, CaseView, MarkView, TallyView
from promptci.runs.prompt_plan import Arm
from promptci.scoring.judges import prompt_injection
from promptci.scoring.model import AssertionResult, ScoredCase
from promptci.scoring.paired_case import PairedCase

CaseOutcome = Literal["broken", "fixed", "same", "incomplete", "base-only", "head-only"]
CaseChange = Literal["same", "new", "changed"]

OUTCOMES: dict[str, CaseOutcome] = {name: name for name in ("broken", "fixed", "same", "incomplete")}
CHANGES: dict[str, CaseChange] = {name: name for name in ("same", "new", "changed")}


def build_case_view(
    paired: PairedCase, *, digest: str | None = None, flaky: bool = False, tallies: Sequence[TallyView] = ()
) -> CaseView:
    """Build the view of one case, with the answer of each version that shows the outcome.

    The rest is what the memory records of the case.
    """
    case = paired.case
    outcome = _outcome(paired)
    return CaseView(
        id=json_safe.text(case.id),
        change=CHANGES[paired.change],
        outcome=outcome,
        critical=case.critical,
        weight=case.weight,
        tags=[json_safe.text(tag) for tag in case.tags],
        input=json_safe.spell_variables(case.vars),
        expected=None if case.expected is None else json_safe.spell_value(case.expected),
        digest=digest,
        flaky=flaky,
        tallies=list(tallies),
        base_pass_rate=paired.pass_rate(Arm.BASE),
        head_pass_rate=paired.pass_rate(Arm.HEAD),
        base=_answer(choose_replicate(paired.base, outcome, Arm.BASE)),
        head=_answer(choose_replicate(paired.head, outcome, Arm.HEAD)),
        excluded_reason=json_safe.optional_text(paired.excluded_reason),
    )


def _outcome(paired: PairedCase) -> CaseOutcome:
    if not paired.base and paired.head:
        return "head-only"
    if not paired.head and paired.base:
        return "base-only"
    return OUTCOMES[paired.outcome]


def choose_replicate(replicates: Sequence[ScoredCase], outcome: CaseOutcome, arm: Arm) -> ScoredCase | None:
    """Choose the repeated answer that shows the outcome.

    Broken: the first right answer of base and the first wrong one of head; fixed: the other way round. Otherwise the
    first missing answer, or the one with the lowest score.
    """
    if not replicates:
        return None
    if outcome in ("broken", "fixed"):
        is_right_side = arm is (Arm.BASE if outcome == "broken" else Arm.HEAD)
        return next((scored for scored in replicates if scored.passed is is_right_side), replicates[0])
    missing = next((scored for scored in replicates if scored.passed is None), None)
    return missing or min(replicates, key=lambda scored: (bool(scored.passed), scored.score or 0.0))


def _answer(scored: ScoredCase | None) -> AnswerView | None:
    if scored is None:
        return None
    completion = scored.answer.completion
    usage = completion.usage if completion else None
    return AnswerView(
        text=None if completion is None else json_safe.text(completion.text or completion.refusal or ""),
        passed=scored.passed,
        score=json_safe.number(scored.score),
        error=json_safe.optional_text(scored.error),
        marks=[_shared_mark(mark) if mark.judge is None else _build_mark_view(mark) for mark in scored.results],
        model=json_safe.optional_text(completion.model) if completion else None,
        fingerprint=json_safe.optional_text(completion.fingerprint) if completion else None,
        finish_reason=json_safe.optional_text(completion.finish_reason) if completion else None,
        input_tokens=usage.input_tokens if usage else None,
        output_tokens=usage.output_tokens if usage else None,
        latency_ms=json_safe.number(completion.latency_ms) if completion else None,
        cost_usd=json_safe.number(scored.answer.cost_usd),
        cached=scored.answer.cached,
        flags=[json_safe.text(judge_view.injection_warning(names))]
        if (names := prompt_injection.find_in_answer(scored))
        else [],
    )


@lru_cache(maxsize=4096)
def _shared_mark(mark: AssertionResult) -> MarkView:
    """Build each view once: thousands of cases share a few results, and each takes half a kilobyte."""
    return _build_mark_view(mark)


def _build_mark_view(mark: AssertionResult) -> MarkView:
    return MarkView(
        name=json_safe.text(mark.name or mark.type),
        type=json_safe.text(mark.type),
        passed=mark.passed,
        score=json_safe.number(mark.score),
        reason=json_safe.text(mark.reason),
        judge=None if mark.judge is None else json_safe.text(str(mark.judge)),
        advisory=mark.weight == 0,
    )
