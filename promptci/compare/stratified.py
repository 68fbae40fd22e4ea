"""Several comparisons together: one stratified test next to the corrected ones."""

from collections.abc import Iterable

from promptci.compare.sample import SamplePair
from promptci.lazy_dataclass import dataclass
from promptci.stats.significance import signflip


@dataclass(frozen=True, kw_only=True, slots=True)
class StratifiedEffect:
    """What several comparisons show together."""

    strata: tuple[str, ...]
    """Their names."""
    pairs: int
    worse: int
    better: int
    delta: float
    """Candidate minus reference over all cases, each counting alike."""
    p: float
    """One-sided, of `the candidate is worse somewhere`. Sign-flip test with each case in its own stratum, so that
    strata of different quality can neither hide nor feign a difference."""


def combine(pairs: Iterable[SamplePair]) -> StratifiedEffect | None:
    """Combine the comparisons of passes and failures in which cases count alike; None for fewer than two."""
    strata = [pair for pair in pairs if pair.is_plain]
    if len(strata) < 2:
        return None
    initial = [d for pair in strata for d in pair.rate_differences(pair.design.initial)]
    return StratifiedEffect(
        strata=tuple(pair.name for pair in strata),
        pairs=len(initial),
        worse=sum(d < 0 for d in initial),
        better=sum(d > 0 for d in initial),
        delta=float(sum(initial) / len(initial)),
        p=signflip.sign_flip_midp([d for pair in strata for d in pair.test_differences()]),
    )
