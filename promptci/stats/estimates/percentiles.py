"""Percentiles of latency, with whether there are enough values for an upper bound."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy_import("numpy")


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

    p50, p95, p99 = (float(q) for q in np.percentile(values, [50, 95, 99]))
    return Percentiles(n=len(values), p50=p50, p95=p95, p99=p99)
