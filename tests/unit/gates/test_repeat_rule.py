"""The rule behind `repeats: auto`: another round while the answers do not decide."""

from dataclasses import replace

import pytest
from support.comparison_notation import comparison, quality_rows

from promptci.config.policy import About, GatePolicy
from promptci.gates.repeat_rule import next_answers

ROUNDS = {"rounds": (1, 2, 4), "first_repeats": 1}


def further(rows: str, policy: GatePolicy, **plan: object) -> int | None:
    run = comparison(rows, plan=ROUNDS | plan)
    return next_answers(run, policy, 1)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (quality_rows(right=5), 2),
        (quality_rows(right=20, broken=20), None),
        (quality_rows(right=400), None),
        ("a ! 1\nb 1 !", None),
    ],
)
def test_a_round_follows_while_the_answers_do_not_decide(rows: str, expected: int | None) -> None:
    assert further(rows, GatePolicy()) == expected


def test_after_the_last_round_there_is_none() -> None:
    assert further(quality_rows(right=5), GatePolicy(), first_repeats=4) is None


def test_no_round_follows_where_missing_answers_decide() -> None:
    """Half of the answers fail: whatever further rounds bring, the error rate is what ends the check."""
    right = "\n".join(f"a{n} 1 1" for n in range(10))
    failing = "\n".join(f"b{n} 1 !" for n in range(10))
    assert further(f"{right}\n{failing}", GatePolicy()) is None
    single = f"{right}\nb0 1 !"
    assert further(single, replace(GatePolicy(), max_error_rate=0.05)) == 2


def test_more_answers_tell_nothing_about_other_inputs() -> None:
    assert further(quality_rows(right=5), replace(GatePolicy(), about=About.INPUTS)) is None
