"""CaseEffect: what the answers show about these very cases, by exact re-labelling within each case."""

import math
from collections.abc import Sequence

from promptci.compare.sample import Design, SamplePair
from promptci.lazy_dataclass import dataclass
from promptci.stats.significance import group_sequential, within_case
from promptci.stats.significance.within_case import CaseAnswers

MAX_ANSWERS = 64
"""Most answers per case and version."""
MIN_LAST_STEP = 1.25
"""How many times as many answers as before a last round must reach, which uses up the calls, to be worth a look."""
MAX_PASSING_SHARE = 0.75
"""A look may exclude a drop of the margin if its bound would be at most so much of the margin where no answer differs.
Earlier looks seldom can, and each widens the bound at the later ones."""
EXACT = 1e-12
"""A margin is written in decimal, and 3 of 60 cases count as 5 points."""
MIN_SCORED_CASES = 20
"""Cases below which a difference in scores does not block: fewer do not show how skewed scores are."""


def plan_rounds(cases: int, max_calls: int) -> tuple[int, ...]:
    """Return the answers per case and version after each round that these calls allow; one round at least.

    They double from round to round, and the last round takes what is left of the calls.
    """
    most = min(MAX_ANSWERS, max_calls // (2 * cases))
    rounds = [1]
    while 2 * rounds[-1] <= most:
        rounds.append(2 * rounds[-1])
    if most >= MIN_LAST_STEP * rounds[-1]:
        rounds.append(most)
    return tuple(rounds)


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseEffect:
    """The difference on these cases; it says nothing about others."""

    drop: float
    """Reference minus candidate."""
    p: float
    """One-sided, of `the candidate is worse on these cases`, all looks taken together."""
    p_min: float
    """Smallest p that these answers could have given, however they fell to the samples."""
    max_drop: float
    """Upper bound of the drop at the level `1 - alpha`, all looks taken together; 1 before the first look that counts
    for it (see `count_passing_looks`)."""

    variance: float = 0.0
    """Of the difference of two answers to one case, one of each sample: the discordance, for pass and fail."""

    def is_regression(self, margin: float, level: float) -> bool:
        """Return whether a drop is shown that is estimated at the margin or more."""
        return self.p <= level and self.drop >= margin - EXACT

    def is_within(self, margin: float) -> bool:
        """Return whether a drop of the margin is excluded."""
        return self.max_drop < margin


def measure_cases(pair: SamplePair) -> CaseEffect:
    """Measure the drop on these cases; every case needs an answer in each sample."""
    design = pair.design
    cases = [
        CaseAnswers(
            reference=tuple(value for value in before if value is not None),
            candidate=tuple(value for value in after if value is not None),
            weight=weight,
            initial=design.initial if design.adaptive else None,
        )
        for before, after, weight in zip(
            _select_counted(pair.reference.values, pair),
            _select_counted(pair.candidate.values, pair),
            pair.weights,
            strict=True,
        )
    ]
    test = within_case.permutation_test(cases)
    estimated = cases
    if design.adaptive:  # the further answers are of cases chosen by their outcome
        estimated = [
            CaseAnswers(
                reference=case.reference[: design.initial],
                candidate=case.candidate[: design.initial],
                weight=case.weight,
            )
            for case in cases
        ]
    rounds = design.rounds or (pair.answers,)
    passing = rounds[-count_passing_looks(len(cases), rounds, design) :]
    z = group_sequential.boundary(design.alpha, passing)
    total = math.fsum(case.weight for case in estimated)
    graded = design.graded and len(cases) < MIN_SCORED_CASES
    return CaseEffect(
        drop=-math.fsum(case.weight * case.difference for case in estimated) / total,
        p=1.0 if graded else group_sequential.overall_level(test.p, rounds),
        p_min=1.0 if graded else group_sequential.overall_level(test.p_min, rounds),
        max_drop=within_case.drop_bound(estimated, design.margin, z) if pair.answers in passing else 1.0,
        variance=within_case.answer_variance(estimated),
    )


def count_passing_looks(cases: int, rounds: Sequence[int], design: Design) -> int:
    """Return how many of the looks, the last ones, may exclude a drop of the margin; one at least.

    The other looks could hardly exclude it even where no answer differs, so they get no share of the error rate.
    """
    failing = design.margin * (1 - design.margin) / cases
    return max(
        [1]
        + [
            looks
            for looks in range(2, len(rounds) + 1)
            if group_sequential.boundary(design.alpha, tuple(rounds[-looks:])) * math.sqrt(failing / rounds[-looks])
            <= MAX_PASSING_SHARE * design.margin
        ]
    )


def _select_counted(values: Sequence[tuple[float | None, ...]], pair: SamplePair) -> list[tuple[float | None, ...]]:
    """Return the answers that count: of repeats that only confirm critical cases, the initial ones."""
    return [row if pair.design.adaptive else row[: pair.design.initial] for row in values]
