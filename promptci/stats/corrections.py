"""Several tests at once: Holm's correction."""

from collections.abc import Sequence


def holm(pvalues: Sequence[float | None]) -> list[float | None]:
    """Give the adjusted p-values, in the same order; None stays None and does not count as a test.

    Source: Holm, Scand. J. Statist. 6 (1979).
    """
    known = sorted((p, index) for index, p in enumerate(pvalues) if p is not None)
    adjusted: list[float | None] = [None] * len(pvalues)
    largest = 0.0
    for rank, (p, index) in enumerate(known):
        largest = min(1.0, max(largest, (len(known) - rank) * p))
        adjusted[index] = largest
    return adjusted
