"""Simulated pull requests whose cases are graded, weighted, clustered or repeated a fixed number of times.

The quality rule alone decides, about these goldens, as the default gate does. The true drop is known exactly.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from support.shared_results import simulated_once
from support.simulated_answers import AUTO_CALLS, POLICY, PROFILES, Matrix

from promptci.compare.case_effect import measure_cases, plan_rounds
from promptci.compare.error_budget import ErrorBudget
from promptci.compare.sample import Design, Sample, SamplePair

KINDS = ("graded", "weighted", "clustered", "three times each", "again where versions disagree")
GRADES = 4
"""Scores are multiples of a fourth."""
HEAVY, HEAVY_SHARE = 5.0, 0.2
"""Weight of the heavy cases, and their share; the others weigh 1."""
CLUSTER_SIZE = 5
LEVEL = ErrorBudget(alpha=POLICY.alpha).quality


@dataclass(frozen=True, kw_only=True)
class DesignSetting:
    """What the pull requests of a simulation are like."""

    kind: str
    cases: int
    shape: str = "none"
    """How head falls by exactly the margin: a few cases `broken` for good, or the drop `spread` over all of them."""
    profile: str = "usual"


@dataclass(frozen=True, kw_only=True)
class DesignShares:
    """How often simulated runs ended so, as shares of all."""

    failed: float
    passed: float


SIZES = (10, 20, 50)
DESIGNS_UNCHANGED = tuple(DesignSetting(kind=kind, cases=cases) for kind, cases in product(KINDS, SIZES))
DESIGNS_WORSE = tuple(
    DesignSetting(kind=kind, cases=cases, shape=shape)
    for kind, cases, shape in product(KINDS, SIZES, ("broken", "spread"))
)


@simulated_once
def simulate_designs(setting: DesignSetting, *, runs: int, seed: int = 1) -> DesignShares:
    """Return how often simulated runs fail and pass."""
    rng = np.random.default_rng([seed, setting.cases, KINDS.index(setting.kind)])
    outcomes = [_decide(setting, rng) for _ in range(runs)]
    return DesignShares(failed=outcomes.count("fail") / runs, passed=outcomes.count("pass") / runs)


def _decide(setting: DesignSetting, rng: np.random.Generator) -> str:
    weights = np.ones(setting.cases)
    if setting.kind == "weighted":
        weights = np.where(rng.random(setting.cases) < HEAVY_SHARE, HEAVY, 1.0)
    base = _draw_rates(setting, rng)
    rates = (base, _draw_worse(setting, base, weights, rng))
    rounds = _rounds(setting)
    most = rounds[-1] if rounds else 3
    answers = [_draw_answers(setting, rate, most, rng) for rate in rates]
    result = "undecided"
    for answered in rounds or (most,):
        effect = measure_cases(_pair(setting, answers, weights, answered))
        if effect.is_regression(POLICY.max_drop, LEVEL):
            return "fail"
        result = "pass" if effect.is_within(POLICY.max_drop) else "undecided"
        if result == "pass":
            break
    return result


def _rounds(setting: DesignSetting) -> tuple[int, ...]:
    """Return the rounds of `repeats: auto`; none where repeats are fixed."""
    fixed = setting.kind in {"three times each", "again where versions disagree"}
    return () if fixed else plan_rounds(setting.cases, AUTO_CALLS)


def _draw_rates(setting: DesignSetting, rng: np.random.Generator) -> Matrix:
    """Return base's mean value of each case; the cases of a cluster share theirs."""
    always, never, a, b = PROFILES[setting.profile]
    drawn = -(-setting.cases // CLUSTER_SIZE) if setting.kind == "clustered" else setting.cases
    kind = rng.random(drawn)
    rates = np.where(kind < always, 1.0, np.where(kind < always + never, 0.0, rng.beta(a, b, drawn)))
    return np.repeat(rates, CLUSTER_SIZE)[: setting.cases] if setting.kind == "clustered" else rates


def _draw_worse(setting: DesignSetting, base: Matrix, weights: Matrix, rng: np.random.Generator) -> Matrix:
    """Return head's mean values: the weighted mean falls by exactly the margin, as far as base leaves room."""
    if setting.shape == "none":
        return base
    shares = weights / weights.sum()
    mean = float((shares * base).sum())
    if setting.shape == "spread":
        return base * max(0.0, 1 - POLICY.max_drop / mean) if mean > 0 else base
    head, missing = base.copy(), POLICY.max_drop
    for index in rng.permutation(len(base)):
        lost = min(float(base[index]), missing / float(shares[index]))
        head[index] -= lost
        missing -= lost * float(shares[index])
    return head


def _draw_answers(setting: DesignSetting, rates: Matrix, most: int, rng: np.random.Generator) -> Matrix:
    tries = GRADES if setting.kind == "graded" else 1
    values: Matrix = rng.binomial(tries, np.clip(rates, 0, 1)[:, None], (len(rates), most)) / tries
    return values


def _pair(setting: DesignSetting, answers: list[Matrix], weights: Matrix, answered: int) -> SamplePair:
    adaptive = setting.kind == "again where versions disagree"
    agree = answers[0][:, 0] == answers[1][:, 0]
    counts = np.where(agree & adaptive, 1, answered).tolist()
    in_clusters = setting.kind == "clustered"
    reference, candidate = (
        Sample(
            ids=tuple(f"c{i:03}" for i in range(setting.cases)),
            values=tuple(tuple(row[:count]) for row, count in zip(side.tolist(), counts, strict=True)),
            clusters=tuple(f"k{i // CLUSTER_SIZE}" for i in range(setting.cases)) if in_clusters else (),
            weights=tuple(weights.tolist()),
        )
        for side in answers
    )
    design = Design(
        graded=setting.kind == "graded",
        initial=1 if adaptive else None,
        adaptive=adaptive,
        alpha=POLICY.alpha,
        margin=POLICY.max_drop,
        rounds=_rounds(setting),
    )
    return SamplePair(reference=reference, candidate=candidate, design=design)
