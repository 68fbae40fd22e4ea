"""Labels expected and given: the confusion matrix and what follows from it."""

from collections.abc import Sequence

from promptci.lazy_dataclass import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassRates:
    """How one label did; None where the denominator is 0."""

    label: str
    counts: tuple[int, ...]
    """How often each label was given when this one was expected, in the order of `LabelConfusion.labels`."""
    precision: float | None
    recall: float | None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall."""
        if self.precision is None or self.recall is None:
            return None
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelConfusion:
    """Confusion matrix of a label task."""

    labels: tuple[str, ...]
    """Every label expected or given, expected ones first, each group in alphabetical order."""
    rows: tuple[ClassRates, ...]
    """One per expected label."""


def label_confusion(pairs: Sequence[tuple[str, str]]) -> LabelConfusion:
    """Count (expected, actual) pairs."""
    expected = sorted({e for e, _ in pairs})
    labels = (*expected, *sorted({g for _, g in pairs} - set(expected)))
    rows = []
    for label in expected:
        counts = tuple(sum(pair == (label, actual) for pair in pairs) for actual in labels)
        hits = counts[labels.index(label)]
        actual_total = sum(g == label for _, g in pairs)
        rows.append(
            ClassRates(
                label=label,
                counts=counts,
                precision=hits / actual_total if actual_total else None,
                recall=hits / sum(counts),
            )
        )
    return LabelConfusion(labels=labels, rows=tuple(rows))
