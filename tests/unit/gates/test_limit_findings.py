"""The limits beside the quality rule, fact by fact and at their very edges."""

from dataclasses import replace
from decimal import Decimal

import pytest
from support.comparison_notation import ASIDE, comparison, quality_rows

from promptci.config.policy import GatePolicy
from promptci.findings import Finding
from promptci.gates import evidence, limits, remarks
from promptci.gates.evidence import PromptEvidence
from promptci.gates.facts import (
    CaseIds,
    CostFacts,
    CriticalFacts,
    ExcludedFacts,
    MinQualityFacts,
    MissingAnswers,
    OddAnswers,
    P95Facts,
)
from promptci.providers.base import Usage
from promptci.runs.model import AnswerError
from promptci.runs.prompt_plan import Arm, Status
from promptci.scoring import odd_models
from promptci.scoring.comparison import compare_versions
from promptci.scoring.prompt_run import PromptRun
from promptci.stats.estimates import intervals
from promptci.verdict import Verdict

ROWS = quality_rows(right=100)

FIVE = "1,1,1,1,1 0,0,0,0,0"
USED = Usage(input_tokens=7, output_tokens=3)
SHOWN = PromptEvidence(cost_p=0.01, latency_p=0.01)


def test_too_many_missing_answers() -> None:
    run = comparison(quality_rows(right=18) + "\na 1 !\nb 1 !")
    assert limits.too_little_evaluated(run, GatePolicy(max_error_rate=0.1)) is None  # 2 of 20 are just allowed
    assert limits.too_little_evaluated(run, GatePolicy(max_error_rate=0.09)) == Finding(
        rule="error-rate",
        verdict=Verdict.ERROR,
        subject="greeter",
        facts=MissingAnswers(
            missing=2,
            requested=20,
            max_error_rate=0.09,
            first_error="server: HTTP 500",
            version="head",
            kind="server",
        ),
    )


@pytest.mark.parametrize(
    ("rows", "missing", "requested", "first_error"), [("a 1 !", 1, 1, "server: HTTP 500"), ("a 1 -", 0, 1, None)]
)
def test_nothing_evaluated(rows: str, missing: int, requested: int, first_error: str | None) -> None:
    finding = limits.too_little_evaluated(comparison(rows), GatePolicy())
    assert finding is not None
    assert (finding.rule, finding.verdict) == ("nothing-evaluated", Verdict.ERROR)
    assert finding.facts == MissingAnswers(
        missing=missing,
        requested=requested,
        max_error_rate=GatePolicy().max_error_rate,
        first_error=first_error,
        kind="server" if missing else "",
    )


@pytest.mark.parametrize(
    ("rows", "version", "missing", "arms"),
    [
        ("a 1 1\nb 1 1", "both", 4, tuple(Arm)),
        ("a - 1\nb - 1", "", 2, tuple(Arm)),
        ("a 1 1\nb 1 1", None, 0, (Arm.HEAD,)),
    ],
)
def test_where_every_request_is_refused_no_model_was_tested(
    rows: str, version: str | None, missing: int, arms: tuple[Arm, ...]
) -> None:
    error = AnswerError(kind="http-400", message="no such parameter", caused_by_request=True)
    run = comparison(rows)
    scored = [
        replace(
            answer,
            answer=replace(answer.answer, completion=None, error=error),
            results=tuple(replace(mark, passed=False, score=0.0) for mark in answer.results),
        )
        if answer.arm in arms
        else answer
        for answer in run.scored
    ]
    finding = limits.too_little_evaluated(compare_versions(replace(run, scored=scored), alpha=0.05), GatePolicy())
    if version is None:  # refused for one version is wrong answers of that version
        assert finding is None
        return
    assert finding is not None
    assert (finding.rule, finding.verdict) == ("nothing-evaluated", Verdict.ERROR)
    assert finding.facts == MissingAnswers(
        missing=missing,
        requested=missing,
        max_error_rate=GatePolicy().max_error_rate,
        first_error="http-400: no such parameter",
        version=version,
    )


def test_answers_of_another_model_are_named_by_the_first_of_them() -> None:
    run = comparison("a 1 1\nb 1 1\nc 1 1")
    odd = {
        (case_id, Arm.HEAD): AnswerError(kind=odd_models.OTHER_MODEL, message=f"answered by {case_id}")
        for case_id in "bc"
    }
    cases = tuple(
        replace(
            case,
            head=tuple(
                replace(answer, answer=replace(answer.answer, error=odd.get((answer.case.id, answer.arm))))
                for answer in case.head
            ),
        )
        for case in run.cases
    )
    (finding,) = remarks.models(replace(run, cases=cases))
    assert finding.facts == OddAnswers(ids=("b", "c"), answers=2, requested=6, first="answered by b")


@pytest.mark.parametrize(
    ("rows", "status", "ids"),
    [
        (f"a* {FIVE}\nb 1 1", Status.CHANGED, ("a",)),
        (f"a* {FIVE}\nb* {FIVE}", Status.CHANGED, ("a", "b")),
        ("a* - 0\nb - 0", Status.ADDED, ("a",)),
        ("a* - 0\nb* - 0\nc* - 1", Status.ADDED, ("a", "b")),
    ],
)
def test_critical_cases(rows: str, status: Status, ids: tuple[str, ...]) -> None:
    run = comparison(rows, status=status)
    (finding,) = limits.critical(run, PromptEvidence(broken_critical=evidence.confirmed_breaks(run)))
    assert (finding.rule, finding.verdict) == ("critical", Verdict.FAIL)
    assert finding.facts == CriticalFacts(ids=ids, added=status is Status.ADDED)


def test_cases_that_head_lost_have_no_answer_or_no_score() -> None:
    run = comparison("a* 1 !\nb 1 1")
    (finding,) = limits.unanswered(run, GatePolicy(), PromptEvidence(unanswered_critical=("a",)))
    assert (finding.rule, finding.verdict) == ("critical-unanswered", Verdict.INCONCLUSIVE)
    assert finding.facts == CaseIds(ids=("a",), unscored=False)
    run = comparison("a* 1 1\nb 1 1")
    unscored = [
        replace(answer, results=tuple(replace(mark, passed=None, score=None) for mark in answer.results))
        if (answer.case.id, answer.arm) == ("a", Arm.HEAD)
        else answer
        for answer in run.scored
    ]
    run = compare_versions(replace(run, scored=unscored), alpha=0.05)
    (finding,) = limits.unanswered(run, GatePolicy(), PromptEvidence(unanswered_critical=("a",)))
    assert finding.facts == CaseIds(ids=("a",), unscored=True)


def test_quality_at_its_floor_is_enough() -> None:
    run = comparison("a 1 1\nb 1 1\nc 1 1\nd 1 0")
    assert limits.min_quality(run, GatePolicy(min_quality=0.75)) == []
    assert limits.min_quality(run, GatePolicy()) == []
    (finding,) = limits.min_quality(run, GatePolicy(min_quality=0.8))
    assert finding.verdict is Verdict.NO_CHANGE
    assert isinstance(finding.facts, MinQualityFacts)
    assert finding.facts.upper_end == pytest.approx(0.954, abs=0.001)
    many = comparison(quality_rows(right=150, broken=50))
    (finding,) = limits.min_quality(many, GatePolicy(min_quality=0.82))
    assert (finding.verdict, finding.facts) == (Verdict.FAIL, MinQualityFacts(quality=0.75, limit=0.82))
    assert limits.min_quality(comparison("a 1 !"), GatePolicy(min_quality=0.8)) == []
    reached = GatePolicy(min_quality=intervals.wilson_of(0.75, 4).hi)
    assert [finding.verdict for finding in limits.min_quality(run, reached)] == [Verdict.NO_CHANGE]


def test_cost_at_its_limit_is_allowed() -> None:
    def cost(before: str, after: str | None, shown: PromptEvidence = SHOWN) -> list[tuple[Verdict, object]]:
        costs = (Decimal(before), None if after is None else Decimal(after))
        findings = limits.cost(comparison(ROWS, cost=costs), GatePolicy(max_cost_increase=0.5), shown)
        return [(finding.verdict, finding.facts) for finding in findings]

    assert cost("0.010", "0.015") == []
    assert cost("0", "1") == []
    cases = len(comparison(ROWS).cases)
    dear = CostFacts(base=0.01, head=0.016, limit=0.5, p=0.01, cases=cases, needed=8)
    assert cost("0.010", "0.016") == [(Verdict.FAIL, dear)]
    unsure = dear._replace(p=0.06, shown=False)
    assert cost("0.010", "0.016", PromptEvidence(cost_p=0.06)) == [(Verdict.NO_CHANGE, unsure)]
    assert cost("0.010", "0.016", PromptEvidence()) == [(Verdict.NO_CHANGE, unsure._replace(p=None))]


def test_a_cost_that_the_change_makes_unknown_is_not_green() -> None:
    def cost(before: float | None, after: float | None) -> list[tuple[Verdict, object]]:
        costs = tuple(None if usd is None else Decimal(str(usd)) for usd in (before, after))
        findings = limits.cost(comparison(ROWS, cost=costs), GatePolicy(max_cost_increase=0.5), SHOWN)
        return [(finding.verdict, finding.facts) for finding in findings]

    unknown = CostFacts(base=None, head=None, limit=0.5)
    assert cost(0.01, None) == [(Verdict.INCONCLUSIVE, unknown._replace(base=0.01))]
    assert cost(None, 0.01) == [(Verdict.NO_CHANGE, unknown._replace(head=0.01))]
    assert cost(None, None) == [(Verdict.NO_CHANGE, unknown)]


@pytest.mark.parametrize(("returned", "named"), [("m-0613", "m-0613"), (None, "m")])
@pytest.mark.parametrize("side", [0, 1])
def test_the_model_without_a_price_is_the_one_that_answered(returned: str | None, named: str, side: int) -> None:
    costs = (None, Decimal("0.01")) if side == 0 else (Decimal("0.01"), None)
    run = comparison("a 1 1\nb 1 1", cost=costs, models=(returned, returned))

    def unpriced(run: PromptRun) -> str | None:
        (finding,) = limits.cost(run, GatePolicy(max_cost_increase=0.5), SHOWN)
        assert isinstance(finding.facts, CostFacts)
        return finding.facts.unpriced

    counted = [
        replace(answer, answer=replace(answer.answer, completion=replace(answer.answer.completion, usage=USED)))
        for answer in run.scored
        if answer.answer.completion is not None
    ]
    assert unpriced(run) is None
    assert unpriced(compare_versions(replace(run, scored=counted), alpha=0.05)) == named


def test_latency_at_its_limit_is_allowed() -> None:
    def p95(rows: str = ROWS, **facts: object) -> list[tuple[Verdict, object]]:
        run = comparison(rows, **facts)  # type: ignore[arg-type]
        shown = SHOWN if len(run.cases) > 50 else PromptEvidence(latency_p=0.06)
        findings = limits.p95(run, GatePolicy(max_p95_increase=0.5), shown)
        return [(finding.verdict, finding.facts) for finding in findings]

    slow = P95Facts(base=100.0, head=160.0, limit=0.5, answers=100, certain=True)
    assert p95(latency=(100.0, 150.0)) == []
    assert p95(latency=(100.0, 160.0)) == [(Verdict.FAIL, slow)]
    few = slow._replace(answers=20, certain=False)
    assert p95(quality_rows(right=20), latency=(100.0, 160.0)) == [(Verdict.NO_CHANGE, few)]
    cached = slow._replace(unequal_caching=True)
    assert p95(latency=(100.0, 160.0), cached_base=True) == [(Verdict.NO_CHANGE, cached)]
    assert p95(latency=(None, 160.0)) == []
    assert p95(latency=(100.0, None)) == []


def test_goldens_of_which_every_case_is_excluded() -> None:
    run = comparison("a? 1 1\nb? 1 0")
    finding = limits.all_excluded(run)
    assert finding is not None
    assert (finding.rule, finding.verdict) == ("all-excluded", Verdict.INCONCLUSIVE)
    assert finding.facts == ExcludedFacts(ids=("a", "b"), cases=2, reasons=(ASIDE,))
    assert remarks.excluded(run) == []
