"""The three zones: shown worse than the margin, shown not worse than it, or cannot tell."""

from promptci.compare.model import Comparison, Quality
from promptci.gates.model import Reason
from promptci.gates.policy import Policy
from promptci.stats import power
from promptci.verdict import Verdict


def quality(comparison: Comparison, policy: Policy, adjusted_p: float | None) -> Reason:
    """Say in which zone the difference in quality lies.

    `fail`: the drop is shown (Holm-adjusted one-sided p <= alpha) and the estimate is at least the margin.
    `pass`: the interval's worst end is less than the margin away (non-inferior). Else `inconclusive`.
    """
    found = comparison.quality
    if found is None:
        return Reason(
            rule="no-pairs",
            verdict=Verdict.INCONCLUSIVE,
            text="No case has the same text at both revisions, so the versions cannot be compared."
            " Change goldens and prompt in separate pull requests to compare them.",
        )
    counts = f"{len(comparison.broken)} broken, {len(comparison.fixed)} fixed of {len(comparison.pairs)} pairs"
    drop = -found.delta
    # 1e-12: the margin is written in decimal, and 3 of 60 cases must count as 5 points.
    if adjusted_p is not None and adjusted_p <= policy.alpha and drop >= policy.max_drop - 1e-12:
        return Reason(
            rule="regression",
            verdict=Verdict.FAIL,
            text=f"Regression shown: {found.measure} fell by {_points(drop)} ({counts}; {_p(adjusted_p)}),"
            f" and the margin is {_points(policy.max_drop)}.",
        )
    if found.interval is not None and -found.interval.lo < policy.max_drop:
        return Reason(
            rule="not-worse",
            verdict=Verdict.PASS,
            # The worst end of a two-sided 90 % interval is a one-sided bound at 95 %.
            text=f"No regression: {found.measure} did not fall by the margin of {_points(policy.max_drop)}"
            f" ({1 - policy.alpha:.0%} confidence; {counts}).",
        )
    return Reason(
        rule="cannot-tell", verdict=Verdict.INCONCLUSIVE, text=_cannot_tell(comparison, found, policy, counts)
    )


def _cannot_tell(comparison: Comparison, found: Quality, policy: Policy, counts: str) -> str:
    if found.interval is None:
        span = "The interval cannot be estimated from these cases"
    else:
        span = (
            f"The change in {found.measure} lies between {_signed(found.interval.lo)} and"
            f" {_signed(found.interval.hi)} points ({found.confidence:.0%} interval; {counts})"
        )
    detectable = (
        "no drop at all could be shown with so few cases"
        if found.detectable_drop is None
        else f"the smallest drop they could show is {_points(found.detectable_drop)}"
    )
    needed = needed_pairs(comparison, policy)
    settle = f" About {needed} cases would settle it." if needed is not None and needed > len(comparison.pairs) else ""
    return f"These goldens cannot tell. {span}; {detectable}.{settle}"


def needed_pairs(comparison: Comparison, policy: Policy) -> int | None:
    """Give the number of cases that would settle the margin at the discordance seen; None where there are no pairs."""
    pairs = len(comparison.pairs)
    if not pairs:
        return None
    # Seeing no discordant pair does not show that there are none: half a pair stands in.
    discordance = max(len(comparison.broken) + len(comparison.fixed), 0.5) / pairs
    return power.cases_needed(policy.max_drop, discordance, alpha=policy.alpha, power=0.80)


def _points(share: float) -> str:
    return f"{100 * share:.1f} points".replace(".0 points", " points")


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "−")


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"
