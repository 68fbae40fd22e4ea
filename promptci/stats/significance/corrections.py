"""Several tests at once: Holm's correction, and Tarone's for tests that cannot become significant."""

from collections.abc import Sequence


def holm(pvalues: Sequence[float | None]) -> list[float | None]:
    """Return the adjusted p-values, in the same order; None stays None and does not count as a test.

    Source: Holm, Scand. J. Statist. 6 (1979).
    """
    known = sorted((p, index) for index, p in enumerate(pvalues) if p is not None)
    adjusted: list[float | None] = [None] * len(pvalues)
    largest = 0.0
    for rank, (p, index) in enumerate(known):
        largest = min(1.0, max(largest, (len(known) - rank) * p))
        adjusted[index] = largest
    return adjusted


def tarone_holm(pvalues: Sequence[float | None], smallest: Sequence[float], alpha: float) -> list[float | None]:
    """Return Holm's adjusted p-values, ignoring tests that could not have become significant.

    `smallest` holds the smallest p that each test could have given, known from margins that say nothing of the
    difference. With k the smallest number for which at most k tests could reach alpha/k, the others get 1 and do not
    count, so that a handful of tiny prompts costs the real one nothing. Source: Tarone, Biometrics 46 (1990).
    """
    known = [index for index, p in enumerate(pvalues) if p is not None]
    count = next((k for k in range(1, len(known)) if sum(smallest[i] <= alpha / k for i in known) <= k), len(known))
    testable = {index for index in known if smallest[index] <= alpha / max(1, count)}
    # Tests that are not there stand for the difference between their number and k.
    padded = [p if index in testable else None for index, p in enumerate(pvalues)]
    corrected = holm([*padded, *[1.0] * (count - len(testable))])[: len(pvalues)]
    return [1.0 if index in known and index not in testable else p for index, p in enumerate(corrected)]
