"""What is said about these cases, and when another round is asked."""

import math
from typing import Any

import pytest

from promptci.compare.case_effect import CaseEffect, count_passing_looks, measure_cases, plan_rounds
from promptci.compare.error_budget import ErrorBudget
from promptci.compare.rounds import StoppingRule
from promptci.compare.sample import Design, Sample, SamplePair

RULE = StoppingRule(margin=0.05, level=0.03)


def pair(*rows: str, **design: Any) -> SamplePair:
    """Rows such as `++ +-`: `+` a pass, `-` a failure, `?` a missing answer, of reference and candidate."""
    value = {"+": 1.0, "-": 0.0, "?": None}
    sides = [[tuple(value[sign] for sign in side) for side in row.split()] for row in rows]
    ids = tuple(f"c{i}" for i in range(len(rows)))
    weights = design.pop("weights", ())
    reference, candidate = (Sample(ids=ids, values=tuple(side[i] for side in sides), weights=weights) for i in (0, 1))
    return SamplePair(reference=reference, candidate=candidate, design=Design(alpha=0.05, **design))


@pytest.mark.parametrize(
    ("cases", "calls", "rounds"),
    [
        (1, 640, (1, 2, 4, 8, 16, 32, 64)),
        (5, 640, (1, 2, 4, 8, 16, 32, 64)),
        (10, 640, (1, 2, 4, 8, 16, 32)),
        (20, 640, (1, 2, 4, 8, 16)),
        (21, 640, (1, 2, 4, 8, 15)),
        (35, 640, (1, 2, 4, 8)),
        (50, 640, (1, 2, 4, 6)),
        (100, 640, (1, 2, 3)),
        (160, 640, (1, 2)),
        (161, 640, (1,)),
        (5000, 640, (1,)),
        (3, 1, (1,)),
    ],
)
def test_rounds_stay_within_the_calls(cases: int, calls: int, rounds: tuple[int, ...]) -> None:
    assert plan_rounds(cases, calls) == rounds


def test_one_broken_case_of_three_is_shown_by_repeating() -> None:
    rounds = (1, 2, 4, 8, 16)
    once = measure_cases(pair("+ -", "+ +", "+ +", rounds=rounds))
    assert once.drop == pytest.approx(1 / 3)
    assert once.max_drop == 1.0
    assert not once.is_regression(0.05, 0.03)
    often = measure_cases(pair("+" * 4 + " " + "-" * 4, "++++ ++++", "++++ ++++", rounds=rounds))
    assert often.is_regression(0.05, 0.03)
    assert often.p == pytest.approx(often.p_min)


def test_a_drop_below_the_margin_is_no_regression_however_sure_it_is() -> None:
    effect = measure_cases(pair(*["++++++++ --------"], *["+ +"] * 24, rounds=()))
    assert effect.p < 0.001
    assert not effect.is_regression(0.05, 0.03)
    assert effect.is_regression(0.04, 0.03)


def test_a_drop_of_exactly_the_margin_is_a_regression_and_not_excluded() -> None:
    effect = CaseEffect(drop=0.05, p=0.03, p_min=0.001, max_drop=0.05)
    assert effect.is_regression(0.05, 0.03)
    assert not effect.is_regression(0.05, 0.0299)
    assert not effect.is_within(0.05)
    assert effect.is_within(0.0501)


def test_the_last_looks_that_could_exclude_the_margin_share_its_error_rate() -> None:
    design = Design(alpha=0.05)
    assert [count_passing_looks(n, plan_rounds(n, 640), design) for n in (1, 3, 4, 10, 50, 400)] == [1, 1, 2, 2, 2, 1]
    assert count_passing_looks(400, (1, 2, 4), design) == 3
    many = measure_cases(pair(*["+ +"] * 124))
    assert many.max_drop == pytest.approx(1.6449 * math.sqrt(0.0475 / 124), abs=1e-4)
    assert many.is_within(0.05)


def test_scores_of_few_cases_do_not_block() -> None:
    rows = ["++++ ----"] * 19
    assert measure_cases(pair(*rows, graded=True)).p == 1.0
    assert measure_cases(pair(*rows, "++++ ----", graded=True)).p < 0.001


def test_answers_that_only_confirm_do_not_count_and_those_on_disagreement_only_in_the_test() -> None:
    confirming = measure_cases(pair("+++ ---", "+ +", initial=1))
    assert confirming == measure_cases(pair("+ -", "+ +", initial=1))
    again = measure_cases(pair("+++ -++", "+ +", initial=1, adaptive=True))
    assert again.drop == 0.5
    assert again.p == pytest.approx(0.25)  # two of the four later passes each: only the first answers tell


def test_weights_count() -> None:
    assert measure_cases(pair("+ -", "+ +", weights=(3.0, 1.0))).drop == pytest.approx(0.75)


def test_undecided_until_a_regression_is_shown_or_excluded() -> None:
    rounds = (1, 2, 4)
    assert not RULE.is_decided(pair("+ -", *["+ +"] * 9, rounds=rounds))
    assert RULE.is_decided(pair(*["++ --"] * 10, rounds=rounds))
    assert RULE.is_decided(pair(*["+ +"] * 300))


def test_missing_answers_are_taken_at_their_worst_before_a_pass() -> None:
    missing = pair(*["+ +"] * 280, *["++ +?"] * 20)
    assert RULE.is_decided(missing)
    assert not RULE.is_decided(missing, missing.in_worst_case())
    assert missing.in_worst_case().candidate.values[-1] == (1.0, 0.0)
    broken = pair(*["++ --"] * 5, *["++ +?"] * 5)
    assert RULE.is_decided(broken, broken.in_worst_case())


def test_the_levels_add_up_to_alpha() -> None:
    error_budget = ErrorBudget(alpha=0.05)
    assert error_budget.quality + error_budget.cost + error_budget.latency + 0.15 * 0.05 == pytest.approx(0.05)
    several = ErrorBudget(alpha=0.05, prompts=5, critical_cases=20)
    assert several.quality + several.together == pytest.approx(error_budget.quality)
    assert several.quality_per_prompt == pytest.approx(several.quality / 5)
    assert (error_budget.critical_answers, several.critical_answers) == (5, 8)
