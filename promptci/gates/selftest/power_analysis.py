"""What a golden set can show, said before a run: the smallest drop, and what it takes to see a smaller one."""

import math
from collections.abc import Sequence

from promptci.compare import case_power
from promptci.compare.case_effect import MIN_SCORED_CASES
from promptci.compare.case_power import Asking
from promptci.compare.effect import POWER
from promptci.compare.sample import Design
from promptci.config.policy import About, GatePolicy
from promptci.goldens.model import Case
from promptci.lazy_dataclass import dataclass
from promptci.stats.estimates import power

RHO = 0.5
"""Correlation taken within a cluster of paraphrases before any are measured."""
MAX_ADVISED_REPEATS = 5
"""Beyond these, more cases are the better advice."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerAnalysis:
    """What a check of one prompt will be able to see, at an assumed noise."""

    cases: int
    effective: int
    """Independent cases that these are worth; fewer where they stand in clusters."""
    variance: float
    """Of one case's difference between two runs of the same version: the discordance, for pass and fail."""
    smallest_drop: float | None
    """Shown with 80 % power; None: none at all."""
    cases_for_drop: int
    """Cases with which a drop of the size wanted is shown to be one; only one of more than the margin blocks."""
    cases_for_pass: int
    """Cases with which `not worse by the margin` can be shown where nothing changed."""
    repeats_for_drop: int | None
    """Times to ask each case in place of more cases; None: no number up to five would do."""


def analyze_goldens(
    cases: Sequence[Case], variance: float, *, drop: float, asking: Asking, graded: bool, alpha: float
) -> PowerAnalysis:
    """Return how small a drop of these very cases can be shown, and with how many a drop is excluded."""
    design = Design(graded=graded, alpha=alpha, margin=drop)
    if graded and variance > 0:
        answers = power.cases_needed(drop, variance, alpha=alpha, power=POWER)
    else:
        answers = power.cases_to_show(drop, variance, alpha=alpha, power=POWER)
    present = len(cases)
    times = math.ceil(answers / max(present, 1))
    least = MIN_SCORED_CASES if graded else 1
    return PowerAnalysis(
        cases=present,
        effective=present,
        variance=variance,
        smallest_drop=case_power.smallest_drop(present, variance, asking, design),
        cases_for_drop=max(asking.cases_for(answers), least),
        cases_for_pass=max(case_power.cases_to_exclude(variance, asking, design), least),
        repeats_for_drop=times if asking.max_calls is None and times <= MAX_ADVISED_REPEATS else None,
    )


def analyze_power(
    cases: Sequence[Case], variance: float, *, drop: float, asking: Asking, graded: bool, policy: GatePolicy
) -> PowerAnalysis:
    """Return how small a drop these cases can show, and with how many a drop is excluded, as a report says it."""
    if policy.about is About.GOLDENS:
        return analyze_goldens(cases, variance, drop=drop, asking=asking, graded=graded, alpha=policy.alpha)
    repeats = asking.repeats
    effective = effective_cases(cases)
    share = len(cases) / effective if effective else 1.0
    if graded:
        independent_cases = power.cases_needed(drop, max(variance / repeats, 1e-9), alpha=policy.alpha, power=POWER)
    else:
        independent_cases = power.cases_to_show(drop, variance / repeats, alpha=policy.alpha, power=POWER)
    least = max(variance / repeats, 0.5 / max(effective, 1))
    cases_for_pass = math.ceil(power.cases_needed(drop, least, alpha=policy.alpha, power=POWER) * share)
    able = [
        times
        for times in range(repeats, MAX_ADVISED_REPEATS + 1)
        if (shown_drop := smallest_drop(effective, variance, repeats=times, graded=graded, alpha=policy.alpha))
        and shown_drop <= drop
    ]
    return PowerAnalysis(
        cases=len(cases),
        effective=effective,
        variance=variance,
        smallest_drop=smallest_drop(effective, variance, repeats=repeats, graded=graded, alpha=policy.alpha),
        cases_for_drop=math.ceil(independent_cases * share),
        cases_for_pass=cases_for_pass,
        repeats_for_drop=able[0] if able else None,
    )


def smallest_drop_by_gate(
    cases: Sequence[Case], variance: float, *, asking: Asking, graded: bool, policy: GatePolicy
) -> float | None:
    """Return the smallest drop that the rule in force shows with 80 % power; None: none at all."""
    if policy.about is About.GOLDENS:
        design = Design(graded=graded, alpha=policy.alpha, margin=policy.max_drop)
        return case_power.smallest_drop(len(cases), variance, asking, design)
    independent_cases = effective_cases(cases)
    return smallest_drop(independent_cases, variance, repeats=asking.repeats, graded=graded, alpha=policy.alpha)


def smallest_drop(n: int, variance: float, *, repeats: int, graded: bool, alpha: float) -> float | None:
    """Return the smallest drop that n cases, each asked so often, show; `variance` is that of asking once.

    Repeats take their part of the noise away; what is left of it is treated as that of a set with so much less
    discordance, of which a drop needs some of its own.
    """
    if n < 2:
        return None
    if graded and variance > 0:
        return power.detectable_drop_scores(n, math.sqrt(variance / repeats), alpha=alpha, power=POWER)
    return power.smallest_drop(n, round(min(1.0, variance / repeats), 9), alpha=alpha, power=POWER)


def effective_cases(cases: Sequence[Case]) -> int:
    """Return how many independent cases these are worth: m in a cluster count as m / (1 + (m - 1) rho).

    Source: Kish, Survey Sampling (1965), the design effect.
    """
    sizes: dict[str, int] = {}
    for case in cases:
        if case.cluster is not None:
            sizes[case.cluster] = sizes.get(case.cluster, 0) + 1
    alone = sum(case.cluster is None for case in cases)
    return alone + math.floor(sum(m / (1 + (m - 1) * RHO) for m in sizes.values()))
