"""Percentiles of latency, with whether there are enough values for an upper bound."""

from collections.abc import Sequence

from promptci.lazy_dataclass import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Percentiles:
    """Median, 95th and 99th percentile, in the unit of the values."""

    n: int
    p50: float | None
    p95: float | None
    p99: float | None

    @property
    def p95_certain(self) -> bool:
        """The largest of n values bounds p95 from above with 95 % confidence: 1 - 0.95^n >= 0.95."""
        return self.n >= 59

    @property
    def p99_certain(self) -> bool:
        """The same for p99."""
        return self.n >= 299


def percentiles(values: Sequence[float]) -> Percentiles:
    """Return the percentiles, interpolated linearly between order statistics; None of no values."""
    if not values:
        return Percentiles(n=0, p50=None, p95=None, p99=None)
    ordered = sorted(values)
    p50, p95, p99 = (_interpolate(ordered, share) for share in (0.5, 0.95, 0.99))
    return Percentiles(n=len(values), p50=p50, p95=p95, p99=p99)


def _interpolate(ordered: Sequence[float], share: float) -> float:
    """Return what `numpy.percentile` returns, which takes 70 ms at its first call: it imports `numpy.ma`."""
    position = (len(ordered) - 1) * share
    place = int(position)
    low, high, part = ordered[place], ordered[min(place + 1, len(ordered) - 1)], position - place
    return float(high - (high - low) * (1 - part) if part >= 0.5 else low + (high - low) * part)
