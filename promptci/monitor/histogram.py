"""Logarithmic histograms of latencies: they merge over hours, arms and engines, where percentiles do not."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping

BASE = 1.02
SHORTEST_MS = 0.001
"""Shorter latencies count as this."""
MIN_REQUESTS: Mapping[float, int] = {0.5: 1, 0.95: 59, 0.99: 299}
"""Requests for each percentile; with fewer, the largest of all can lie below it with a chance of over 5%."""


def bin_of(milliseconds: float) -> int:
    """Return the bin of a latency."""
    return math.ceil(math.log(max(milliseconds, SHORTEST_MS)) / math.log(BASE))


def latency_of(number: int) -> float:
    """Return the latency of a bin, at most 1% from every latency in it."""
    return 2 * BASE**number / (1 + BASE)


def merge_bins(histograms: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """Return one histogram of several."""
    merged: Counter[int] = Counter()
    for bins in histograms:
        merged.update(bins)
    return dict(sorted(merged.items()))


def find_percentile(bins: Mapping[int, int], share: float) -> float | None:
    """Return a percentile in milliseconds; None: there are too few requests for it."""
    count = sum(bins.values())
    if count < MIN_REQUESTS.get(share, math.ceil(math.log(0.05) / math.log(share)) if share < 1 else 1):
        return None
    rank = math.ceil(share * count - 1e-9)
    for number in sorted(bins):
        rank -= bins[number]
        if rank <= 0:
            return latency_of(number)
    return None
