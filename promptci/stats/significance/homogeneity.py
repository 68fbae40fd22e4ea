"""Whether two sets of counted answers come from the same distribution: chi-square, with an exact-by-drawing p-value."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = lazy_import("numpy")

DRAWS = 4000
SEED = 20261127
Counts = Mapping[str, int]


def homogeneity_p(pairs: Sequence["tuple[Counts, Counts]"]) -> float:
    """Return the p-value of `both sides of each pair have the same distribution`, over all pairs together.

    The pooled answers of each pair are dealt out again at random, as often as `DRAWS`: exact for counts however small.
    A pair with an empty side says nothing.
    """
    rng = np.random.default_rng(SEED)
    observed = 0.0
    drawn: NDArray[np.float64] = np.zeros(DRAWS)
    for first, second in pairs:
        words = sorted(first.keys() | second.keys())
        counts = np.array([first.get(word, 0) for word in words])
        pooled = counts + np.array([second.get(word, 0) for word in words])
        size = int(counts.sum())
        if size == 0:  # where the other side is empty, or both have one word, every draw is what was seen
            continue
        observed += float(_chi_square(counts[None, :], pooled, size)[0])
        drawn += _chi_square(rng.multivariate_hypergeometric(pooled, size, size=DRAWS), pooled, size)
    return float((1 + np.sum(drawn >= observed - 1e-9)) / (DRAWS + 1))


def _chi_square(counts: "NDArray[np.int64]", pooled: "NDArray[np.int64]", size: int) -> "NDArray[np.float64]":
    """Return the statistic of each row; with both margins fixed, one side's squares say all."""
    expected = pooled * (size / pooled.sum())
    return np.asarray(((counts - expected) ** 2 / expected).sum(axis=1))
