"""The three zones: shown worse than the margin, shown not worse than it, or cannot tell."""

import math
from dataclasses import dataclass

from promptci.compare.effect import POWER, Effect
from promptci.compare.stratified import StratifiedEffect
from promptci.config.policy import GatePolicy
from promptci.gates.model import Reason
from promptci.gates.power_analysis import MAX_ADVISED_REPEATS
from promptci.stats import power
from promptci.verdict import Verdict


def quality(effect: Effect | None, policy: GatePolicy, adjusted_p: float | None) -> Reason:
    """Say in which zone the difference in quality lies.

    `fail`: the drop is shown (Holm-adjusted one-sided p <= alpha) and the estimate is at least the margin.
    `pass`: the interval's worst end is less than the margin away (non-inferior). Else `inconclusive`.
    """
    if effect is None:
        return Reason(
            rule="no-pairs",
            verdict=Verdict.INCONCLUSIVE,
            text="No case has the same text at both revisions, so the versions cannot be compared."
            " Change goldens and prompt in separate pull requests to compare them.",
        )
    worse, better = ("broken", "fixed") if effect.measure == "pass rate" else ("lower", "higher")
    counts = f"{effect.worse} {worse}, {effect.better} {better} of {effect.pairs} pairs"
    drop = -effect.delta
    # 1e-12: the margin is written in decimal, and 3 of 60 cases must count as 5 points.
    if adjusted_p is not None and adjusted_p <= policy.alpha and drop >= policy.max_drop - 1e-12:
        return Reason(
            rule="regression",
            verdict=Verdict.FAIL,
            text=f"Regression shown: {effect.measure} fell by {_points(drop)} ({counts}; {_p(adjusted_p)}),"
            f" and the margin is {_points(policy.max_drop)}.",
        )
    if effect.interval is not None and -effect.interval.lo < policy.max_drop:
        return Reason(
            rule="not-worse",
            verdict=Verdict.PASS,
            # The worst end of a two-sided 90 % interval is a one-sided bound at 95 %.
            text=f"No regression: {effect.measure} did not fall by the margin of {_points(policy.max_drop)}"
            f" ({1 - policy.alpha:.0%} confidence; {counts}).",
        )
    return Reason(rule="cannot-tell", verdict=Verdict.INCONCLUSIVE, text=_cannot_tell(effect, policy, counts))


def together(found: StratifiedEffect, policy: GatePolicy) -> Reason:
    """Say what several prompts show together.

    It never blocks: beside Holm's it would be one more chance to block a harmless change. A drop shown only together is
    no pass, though.
    """
    counts = f"{found.worse} broken, {found.better} fixed of {found.pairs} pairs; {_p(found.p)}"
    names = f"The {len(found.strata)} prompts together"
    if found.p <= policy.alpha and -found.delta >= policy.max_drop - 1e-12:
        text = f"{names} got worse: their pass rate fell by {_points(-found.delta)} ({counts})."
        return Reason(rule="pooled", verdict=Verdict.INCONCLUSIVE, text=text)
    text = f"{names} show no drop of the margin: {_signed(found.delta)} points ({counts})."
    return Reason(rule="pooled", verdict=Verdict.NO_CHANGE, text=text)


def _cannot_tell(effect: Effect, policy: GatePolicy, counts: str) -> str:
    if effect.interval is None:
        span = "The interval cannot be estimated from these cases"
    else:
        span = (
            f"The change in {effect.measure} lies between {_signed(effect.interval.lo)} and"
            f" {_signed(effect.interval.hi)} points ({effect.confidence:.0%} interval; {counts})"
        )
    detectable = (
        "no drop at all could be shown with so few cases"
        if effect.detectable_drop is None
        else f"the smallest drop they could show is {_points(effect.detectable_drop)}"
    )
    return f"These goldens cannot tell. {span}; {detectable}.{_settling(needed(effect, policy))}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Needed:
    """What would settle the margin if nothing changed, at the spread of differences seen."""

    cases: int
    """Pairs in all."""
    more: int
    """Pairs beyond those there are."""
    repeats: int | None
    """Times to ask each of the present cases instead; None where that would be no help, or too often."""


def needed(effect: Effect | None, policy: GatePolicy) -> Needed | None:
    """Return what would settle the margin; None where it cannot be estimated, or these pairs suffice."""
    if effect is None or effect.variance is None:
        return None
    # Seeing no difference does not show that there is none: half a pair stands in.
    variance = max(effect.variance, 0.5 / effect.pairs)
    cases = power.cases_needed(policy.max_drop, variance, alpha=policy.alpha, power=POWER)
    if cases <= effect.pairs:
        return None
    times = math.ceil(cases / effect.pairs) * effect.repeats
    repeats = None if effect.clustered or times > MAX_ADVISED_REPEATS else times
    return Needed(cases=cases, more=cases - effect.pairs, repeats=repeats)


def _settling(found: Needed | None) -> str:
    if found is None:
        return ""
    instead = (
        f", or asking each of these {found.repeats} times (`run.repeats`) as far as the differences are chance"
        if found.repeats is not None
        else ""
    )
    return f" About {found.more:,} more cases ({found.cases:,} in all) would settle it{instead}."


def _points(share: float) -> str:
    return f"{100 * share:.1f} points".replace(".0 points", " points")


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "−")


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"
