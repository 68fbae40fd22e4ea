"""What golden cases show about themselves: the smallest drop, and how many of them exclude a drop of the margin.

All of it follows the rule that decides about these very cases (`case_effect`): what counts is the number of answers,
however they are spread over cases.
"""

import math
from functools import lru_cache
from statistics import NormalDist

from promptci.compare.case_effect import MIN_SCORED_CASES, count_passing_looks, plan_rounds
from promptci.compare.sample import Design
from promptci.lazy_dataclass import dataclass
from promptci.stats.estimates import power
from promptci.stats.significance import group_sequential

POWER = 0.80
_Z_POWER = NormalDist().inv_cdf(POWER)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """How often each case is asked of each version."""

    repeats: int = 1
    max_calls: int | None = None
    """With `repeats: auto`, the calls for both versions of all cases; None: `repeats` says how often."""

    def plan(self, cases: int) -> tuple[int, ...]:
        """Return the answers per case and version after each round."""
        return (self.repeats,) if self.max_calls is None else plan_rounds(cases, self.max_calls)

    def count_answers(self, cases: int) -> int:
        """Return the answers of each version to so many cases, all rounds together."""
        return cases * self.plan(cases)[-1]

    def cases_for(self, answers: int) -> int:
        """Return the fewest cases that are asked so often together."""
        if self.max_calls is None:
            return math.ceil(answers / self.repeats)
        return next(cases for cases in range(1, answers + 1) if self.count_answers(cases) >= answers)


def smallest_drop(cases: int, variance: float, asking: Asking, design: Design) -> float | None:
    """Return the smallest drop of these cases that ends `fail` with 80 % power; None: no drop does.

    The drop must be shown by the test, and be estimated at the margin or more. `variance` is that of the difference
    of two answers to one case.
    """
    if cases < 1 or (design.graded and cases < MIN_SCORED_CASES):
        return None
    rounds, answers = asking.plan(cases), asking.count_answers(cases)
    alpha = group_sequential.nominal_level(design.alpha, rounds)
    shown: float | None
    if design.graded and variance > 0:
        shown = power.detectable_drop_scores(answers, math.sqrt(variance), alpha=alpha, power=POWER)
    else:
        shown = power.smallest_drop(answers, round(min(1.0, variance), 9), alpha=alpha, power=POWER)
    noise = math.sqrt((variance + design.margin * (1 - design.margin)) / answers)
    return None if shown is None else min(1.0, max(shown, design.margin + _Z_POWER * noise))


@lru_cache(maxsize=1024)
def cases_to_exclude(variance: float, asking: Asking, design: Design, *, more_than: int = 0) -> int:
    """Return the fewest cases, more than so many, that exclude a drop of the margin where nothing changed."""
    answers = power.answers_needed(design.margin, variance, alpha=design.alpha, power=POWER)
    if asking.max_calls is None:
        return max(more_than + 1, math.ceil(answers / asking.repeats))
    # With more cases than that, each is asked once.
    asked_in_rounds = range(more_than + 1, asking.max_calls // 2 + 1)
    enough = (cases for cases in asked_in_rounds if _excludes(cases, variance, asking, design))
    return next(enough, max(more_than + 1, answers))


def is_enough(cases: int, variance: float, asking: Asking, design: Design) -> bool:
    """Return whether so many cases exclude a drop of the margin where nothing changed."""
    return cases > 0 and _excludes(cases, variance, asking, design)


def _excludes(cases: int, variance: float, asking: Asking, design: Design) -> bool:
    rounds = asking.plan(cases)
    passing = rounds[-count_passing_looks(cases, rounds, design) :]
    z, answers = group_sequential.boundary(design.alpha, passing), asking.count_answers(cases)
    allowance = design.margin * (1 - design.margin)
    bound = z * math.sqrt((variance + allowance) / answers) + _Z_POWER * math.sqrt(variance / answers)
    return bound < design.margin
