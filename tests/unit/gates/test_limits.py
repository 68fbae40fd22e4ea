"""The limits beside the quality test, word by word and at their very edges."""

from decimal import Decimal

import pytest
from support.comparison_notation import comparison, quality_rows

from promptci.config.policy import GatePolicy
from promptci.gates import limits
from promptci.gates.model import Reason
from promptci.runs.model import Status
from promptci.verdict import Verdict

ROWS = quality_rows(right=100)


def test_too_many_missing_answers() -> None:
    found = comparison(quality_rows(right=18) + "\na 1 !\nb 1 !")
    assert limits.too_little_evaluated(found, GatePolicy(max_error_rate=0.05)) is None  # 2 of 40 are just allowed
    assert limits.too_little_evaluated(found, GatePolicy(max_error_rate=0.04)) == Reason(
        rule="error-rate",
        verdict=Verdict.ERROR,
        text="2 of 40 answers are missing, more than the 4% that `gate.max_error_rate` allows."
        " First error: server: HTTP 500",
    )


def test_nothing_evaluated() -> None:
    assert limits.too_little_evaluated(comparison("a 1 !"), GatePolicy()) == Reason(
        rule="nothing-evaluated",
        verdict=Verdict.ERROR,
        text="No answer of the new version could be evaluated (1 of 2 failed). First error: server: HTTP 500",
    )
    assert limits.too_little_evaluated(comparison("a 1 -"), GatePolicy()) == Reason(
        rule="nothing-evaluated",
        verdict=Verdict.ERROR,
        text="No answer of the new version could be evaluated (0 of 1 failed).",
    )


@pytest.mark.parametrize(
    ("rows", "status", "text"),
    [
        ("a* 1 0\nb 1 1", Status.CHANGED, "1 critical case broke: a."),
        ("a* 1 0\nb* 1 0", Status.CHANGED, "2 critical cases broke: a, b."),
        ("a* - 0\nb - 0", Status.ADDED, "1 critical case fails: a."),
        ("a* - 0\nb* - 0\nc* - 1", Status.ADDED, "2 critical cases fail: a, b."),
    ],
)
def test_critical_cases(rows: str, status: Status, text: str) -> None:
    (found,) = limits.critical(comparison(rows, status=status))
    assert found == Reason(rule="critical", verdict=Verdict.FAIL, text=text)


def test_quality_at_its_floor_is_enough() -> None:
    found = comparison("a 1 1\nb 1 1\nc 1 1\nd 1 0")
    assert limits.min_quality(found, GatePolicy(min_quality=0.75)) == []
    assert limits.min_quality(found, GatePolicy()) == []
    assert limits.min_quality(found, GatePolicy(min_quality=0.8)) == [
        Reason(
            rule="min-quality",
            verdict=Verdict.FAIL,
            text="Quality is 75.0% over all cases; `gate.min_quality` asks for 80.0%.",
        )
    ]
    assert limits.min_quality(comparison("a 1 !"), GatePolicy(min_quality=0.8)) == []


def test_cost_at_its_limit_is_allowed() -> None:
    def found(before: str, now: str | None) -> list[Reason]:
        cost = (Decimal(before), None if now is None else Decimal(now))
        return list(limits.cost(comparison(ROWS, cost=cost), GatePolicy(max_cost_increase=0.5)))

    assert found("0.010", "0.015") == []
    assert found("0", "1") == []
    assert found("0.010", "0.016") == [
        Reason(
            rule="cost",
            verdict=Verdict.FAIL,
            text="Cost per request rose by 60%; `gate.max_cost_increase` allows 50%.",
        )
    ]
    assert found("0.010", None) == [
        Reason(
            rule="cost",
            verdict=Verdict.NO_CHANGE,
            text="Cost is unknown (no price for the model), so its limit was not checked.",
        )
    ]


def test_latency_at_its_limit_is_allowed() -> None:
    policy = GatePolicy(max_p95_increase=0.5)
    assert limits.p95(comparison(ROWS, latency=(100.0, 150.0)), policy) == []
    assert limits.p95(comparison(ROWS, latency=(100.0, 160.0)), policy) == [
        Reason(rule="p95", verdict=Verdict.FAIL, text="p95 latency rose by 60%; `gate.max_p95_increase` allows 50%.")
    ]
    few = comparison(quality_rows(right=20), latency=(100.0, 160.0))
    assert limits.p95(few, policy) == [
        Reason(
            rule="p95",
            verdict=Verdict.NO_CHANGE,
            text="p95 latency rose by 60%; `gate.max_p95_increase` allows 50%; with 20 answers that is not certain,"
            " so it does not block.",
        )
    ]
    assert limits.p95(comparison(ROWS, latency=(100.0, 160.0), cached_base=True), policy) == [
        Reason(
            rule="p95",
            verdict=Verdict.NO_CHANGE,
            text="One version's answers come from the cache, so latencies were not compared.",
        )
    ]
    assert limits.p95(comparison(ROWS, latency=(None, 160.0)), policy) == []
    assert limits.p95(comparison(ROWS, latency=(100.0, None)), policy) == []


def test_why_cases_decide_nothing() -> None:
    found = comparison("a? 1 1\nb? 1 0")
    nothing = limits.all_aside(found)
    assert nothing == Reason(
        rule="all-aside",
        verdict=Verdict.INCONCLUSIVE,
        text="None of the 2 cases decides anything: flaky, and Ann looks into it.",
    )
