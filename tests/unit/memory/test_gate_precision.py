"""Precision is counted over what people judged, and says how little that may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.memory_records import feedback, verdict

from promptci.memory.gate_precision import compute_precision, precision_by_rule
from promptci.memory.model import Feedback
from promptci.stats.estimates import intervals


def labelled(**labels: str) -> dict[str, Feedback]:
    return {name: feedback(name, label) for name, label in labels.items()}


def test_right_among_judged_with_wilson_s_interval() -> None:
    precision = compute_precision(
        [verdict(f"v{i}") for i in range(12)], labelled(v0="correct", v1="correct", v2="incorrect", gone="incorrect")
    )
    assert (precision.verdicts, precision.labelled, precision.correct) == (12, 3, 2)
    assert precision.rate == pytest.approx(2 / 3)
    assert precision.interval == intervals.wilson(2, 3)


def test_nothing_judged_is_unknown_and_not_nought() -> None:
    precision = compute_precision([verdict()], {})
    assert (precision.verdicts, precision.rate, precision.interval) == (1, None, None)


@pytest.mark.parametrize("other", ["pass", "inconclusive", "error"])
def test_only_fail_is_counted(other: str) -> None:
    precision = compute_precision(
        [verdict(verdict=other), verdict("v2", mode="block")], labelled(v1="incorrect", v2="correct")
    )
    assert (precision.verdicts, precision.labelled, precision.correct) == (1, 1, 1)


def test_a_verdict_with_two_reasons_counts_for_both() -> None:
    verdicts = [
        verdict(),
        verdict("v2", rules=("regression", "cost")),
        verdict("v3", verdict="pass", rules=("not-worse",)),
    ]
    result = precision_by_rule(verdicts, labelled(v1="incorrect", v2="correct"))
    assert {
        rule: (precision.verdicts, precision.labelled, precision.correct) for rule, precision in result.items()
    } == {
        "cost": (1, 1, 1),
        "regression": (2, 2, 1),
    }


@given(st.lists(st.sampled_from([None, "correct", "incorrect"]), max_size=30))
def test_the_numbers_hang_together(marks: list[str | None]) -> None:
    verdicts = [verdict(f"v{i}") for i in range(len(marks))]
    precision = compute_precision(
        verdicts, labelled(**{f"v{i}": mark for i, mark in enumerate(marks) if mark is not None})
    )
    assert 0 <= precision.correct <= precision.labelled <= precision.verdicts == len(marks)
    if precision.rate is not None and precision.interval is not None:
        assert precision.interval.lo <= precision.rate <= precision.interval.hi


def test_a_regression_that_blocks_is_told_from_a_crossed_limit() -> None:
    assert verdict().quality_blocked
    assert not verdict(rules=("cost",)).quality_blocked
    assert not verdict(blocks=False).quality_blocked
