"""How often a case's verdict differs between two runs of the same version: what noise a gate must see through."""

from collections.abc import Iterable, Sequence
from statistics import fmean

Counts = tuple[int, int]
"""Passes and answers, all under the same circumstances."""


def discordance(cases: Iterable[Sequence[Counts]]) -> float | None:
    """Estimate the share of cases whose verdict differs between two runs; None: no case was answered twice.

    Of a case that passes with probability p it is 2p(1 - p). k passes of n answers estimate that without bias, however
    small n, by the share of pairs of answers that differ, k(n - k) of n(n - 1)/2. A case may have been asked under
    several circumstances (models, versions of the prompt): only answers under the same ones make pairs.
    """
    rates = []
    for groups in cases:
        pairs = sum(n * (n - 1) // 2 for _, n in groups)
        if pairs:
            rates.append(sum(k * (n - k) for k, n in groups) / pairs)
    return fmean(rates) if rates else None
