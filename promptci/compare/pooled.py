"""All prompts of a run together: one stratified test beside the corrected ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from promptci.compare.model import Comparison, PairedCase
from promptci.runs.model import Arm
from promptci.stats import signflip


@dataclass(frozen=True, kw_only=True, slots=True)
class Pooled:
    """What several prompts show together."""

    prompts: tuple[str, ...]
    pairs: int
    broken: int
    fixed: int
    delta: float
    """Head minus base over all pairs, each counting alike."""
    p: float
    """One-sided, of `head is worse somewhere`. Sign-flip test with each case in its own prompt, so that prompts of
    different quality cannot hide or feign a difference (stratified)."""


def pool(comparisons: Sequence[Comparison]) -> Pooled | None:
    """Pool the prompts that are compared by pass and fail, cases counting alike; None for fewer than two."""
    found = [c for c in comparisons if _poolable(c)]
    if len(found) < 2:
        return None
    first = [_difference(pair, c.plan.first_repeats) for c in found for pair in c.pairs]
    test = [_difference(pair, None if c.plan.adaptive else c.plan.first_repeats) for c in found for pair in c.pairs]
    return Pooled(
        prompts=tuple(c.plan.name for c in found),
        pairs=len(first),
        broken=sum(d < 0 for d in first),
        fixed=sum(d > 0 for d in first),
        delta=float(sum(first) / len(first)),
        p=signflip.sign_flip_midp(test),
    )


def _poolable(comparison: Comparison) -> bool:
    found = comparison.quality
    plain = len({p.case.weight for p in comparison.pairs}) == 1 and not any(p.case.cluster for p in comparison.pairs)
    return found is not None and found.measure == "pass rate" and plain and not comparison.plan.same_fingerprint


def _difference(pair: PairedCase, first: int | None) -> Fraction:
    return pair.share(Arm.HEAD, first) - pair.share(Arm.BASE, first)
