"""The limits beside the quality rule, fact by fact and at their very edges."""

from decimal import Decimal

import pytest
from support.comparison_notation import ASIDE, comparison, quality_rows

from promptci.config.policy import GatePolicy
from promptci.findings import Finding
from promptci.gates import limits, remarks
from promptci.gates.facts import CostFacts, CriticalFacts, ExcludedFacts, MinQualityFacts, MissingAnswers, P95Facts
from promptci.runs.model import Status
from promptci.verdict import Verdict

ROWS = quality_rows(right=100)


def test_too_many_missing_answers() -> None:
    found = comparison(quality_rows(right=18) + "\na 1 !\nb 1 !")
    assert limits.too_little_evaluated(found, GatePolicy(max_error_rate=0.05)) is None  # 2 of 40 are just allowed
    assert limits.too_little_evaluated(found, GatePolicy(max_error_rate=0.04)) == Finding(
        rule="error-rate",
        verdict=Verdict.ERROR,
        subject="greeter",
        facts=MissingAnswers(missing=2, requested=40, max_error_rate=0.04, first_error="server: HTTP 500"),
    )


@pytest.mark.parametrize(
    ("rows", "missing", "requested", "first_error"), [("a 1 !", 1, 2, "server: HTTP 500"), ("a 1 -", 0, 1, None)]
)
def test_nothing_evaluated(rows: str, missing: int, requested: int, first_error: str | None) -> None:
    finding = limits.too_little_evaluated(comparison(rows), GatePolicy())
    assert finding is not None
    assert (finding.rule, finding.verdict) == ("nothing-evaluated", Verdict.ERROR)
    assert finding.facts == MissingAnswers(
        missing=missing, requested=requested, max_error_rate=GatePolicy().max_error_rate, first_error=first_error
    )


@pytest.mark.parametrize(
    ("rows", "status", "ids"),
    [
        ("a* 1 0\nb 1 1", Status.CHANGED, ("a",)),
        ("a* 1 0\nb* 1 0", Status.CHANGED, ("a", "b")),
        ("a* - 0\nb - 0", Status.ADDED, ("a",)),
        ("a* - 0\nb* - 0\nc* - 1", Status.ADDED, ("a", "b")),
    ],
)
def test_critical_cases(rows: str, status: Status, ids: tuple[str, ...]) -> None:
    (finding,) = limits.critical(comparison(rows, status=status))
    assert (finding.rule, finding.verdict) == ("critical", Verdict.FAIL)
    assert finding.facts == CriticalFacts(ids=ids, added=status is Status.ADDED)


def test_quality_at_its_floor_is_enough() -> None:
    found = comparison("a 1 1\nb 1 1\nc 1 1\nd 1 0")
    assert limits.min_quality(found, GatePolicy(min_quality=0.75)) == []
    assert limits.min_quality(found, GatePolicy()) == []
    (finding,) = limits.min_quality(found, GatePolicy(min_quality=0.8))
    assert (finding.verdict, finding.facts) == (Verdict.FAIL, MinQualityFacts(quality=0.75, limit=0.8))
    assert limits.min_quality(comparison("a 1 !"), GatePolicy(min_quality=0.8)) == []


def test_cost_at_its_limit_is_allowed() -> None:
    def cost(before: str, after: str | None) -> list[tuple[Verdict, object]]:
        costs = (Decimal(before), None if after is None else Decimal(after))
        findings = limits.cost(comparison(ROWS, cost=costs), GatePolicy(max_cost_increase=0.5))
        return [(finding.verdict, finding.facts) for finding in findings]

    assert cost("0.010", "0.015") == []
    assert cost("0", "1") == []
    assert cost("0.010", "0.016") == [(Verdict.FAIL, CostFacts(base=0.01, head=0.016, limit=0.5))]
    assert cost("0.010", None) == [(Verdict.NO_CHANGE, CostFacts(base=0.01, head=None, limit=0.5))]


def test_latency_at_its_limit_is_allowed() -> None:
    def p95(rows: str = ROWS, **facts: object) -> list[tuple[Verdict, object]]:
        findings = limits.p95(comparison(rows, **facts), GatePolicy(max_p95_increase=0.5))  # type: ignore[arg-type]
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
    found = comparison("a? 1 1\nb? 1 0")
    finding = limits.all_excluded(found)
    assert finding is not None
    assert (finding.rule, finding.verdict) == ("all-excluded", Verdict.INCONCLUSIVE)
    assert finding.facts == ExcludedFacts(ids=("a", "b"), cases=2, reasons=(ASIDE,))
    assert remarks.excluded(found) == []
