"""How often a critical flip is repeated, and how often chance confirms one."""

import numpy as np
import pytest

from promptci.stats.significance import confirmation


@pytest.mark.parametrize(("cases", "answers"), [(1, 5), (2, 6), (10, 7), (100, 9)])
def test_more_critical_cases_need_more_answers(cases: int, answers: int) -> None:
    assert confirmation.answers_needed(cases, 0.0075) == answers


@pytest.mark.parametrize("cases", [1, 5, 20, 400])
def test_whatever_the_cases_chances_are_the_level_holds(cases: int) -> None:
    answers = confirmation.answers_needed(cases, 0.0075)
    for p in np.linspace(0.01, 0.99, 99):
        chance = p**answers * ((1 - p) ** answers + answers * p * (1 - p) ** (answers - 1))
        assert cases * chance <= 0.0075


def test_there_is_an_end() -> None:
    assert confirmation.answers_needed(10**9, 0.0075) == 16
    assert confirmation.answers_needed(0, 0.0075) == 5


@pytest.mark.parametrize(
    ("reference", "candidate", "confirmed"),
    [
        ("+++++", "-----", True),
        ("+++++", "--+--", True),
        ("+++++", "-++--", False),
        ("++++-", "-----", False),
        ("++++", "----", False),
        ("+++++", "----", False),
        ("+++++-", "-----+", True),
    ],
)
def test_all_five_are_there_and_the_candidate_passes_one_at_most(
    reference: str, candidate: str, confirmed: bool
) -> None:
    sides = ([sign == "+" for sign in side] for side in (reference, candidate))
    assert confirmation.is_confirmed(next(sides), next(sides), 5) is confirmed
