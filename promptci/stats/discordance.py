"""How often a case's verdict differs between two runs of the same version: what noise a gate must see through."""

from collections.abc import Iterable
from statistics import fmean


def discordance(counts: Iterable[tuple[int, int]]) -> float | None:
    """Estimate the share of cases whose verdict differs between two runs, from (passes, answers) of each case.

    Of a case that passes with probability p it is 2p(1 - p); k passes of n answers estimate that without bias by
    2k(n - k)/(n(n - 1)), the share of pairs of answers that differ. Cases answered once say nothing; None: all are.
    """
    known = [2 * k * (n - k) / (n * (n - 1)) for k, n in counts if n > 1]
    return fmean(known) if known else None
