"""How often a flip of a critical case must be repeated before it is no chance."""

from functools import lru_cache

MIN_ANSWERS, MAX_ANSWERS = 5, 16
MAX_PASSES = 1
"""Passes of the candidate with which a case still counts as broken."""


def is_confirmed(reference: list[bool], candidate: list[bool], answers: int) -> bool:
    """Return whether the reference passed all its first answers and the candidate at most one of its own."""
    before, after = reference[:answers], candidate[:answers]
    return len(before) == len(after) == answers and all(before) and sum(after) <= MAX_PASSES


@lru_cache(maxsize=1024)
def answers_needed(cases: int, level: float) -> int:
    """Return the answers of each version with which `cases` critical cases are falsely confirmed at most at `level`.

    A case that passes with an unchanged probability p is confirmed with p^m [(1 - p)^m + m p (1 - p)^(m - 1)]. The sum
    over the cases of the largest value that any p gives is a bound whatever their probabilities are (Bonferroni).
    """
    for answers in range(MIN_ANSWERS, MAX_ANSWERS):
        if cases * _largest_chance(answers) <= level:
            return answers
    return MAX_ANSWERS


def _largest_chance(answers: int) -> float:
    rates = (step / 1000 for step in range(1, 1000))
    return max(p**answers * ((1 - p) ** answers + answers * p * (1 - p) ** (answers - 1)) for p in rates)
