"""Classes of a prompt that returns labels (accuracy, confusion matrix), and the failures of each assertion."""

from collections import Counter
from collections.abc import Iterator

from promptci.lazy_dataclass import dataclass
from promptci.present import formatting
from promptci.report.model.report import AnswerView, CaseView, LabelRowView, PromptView, VersionView

MAX_CLASSES = 40
MAX_LABELS = 25
"""Rows and columns of a confusion matrix."""
MAX_ASSERTIONS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassRow:
    """One expected label."""

    label: str
    answers: int
    """Answers of head, else of base."""
    before: float | None
    after: float | None

    @property
    def change(self) -> str:
        """Change in points; a dash if a version is missing."""
        if self.before is None or self.after is None:
            return "–"
        return formatting.signed_points(self.after - self.before)


def class_rows(prompt: PromptView) -> list[ClassRow]:
    """Return the classes, the one that lost most first; empty if the prompt returns no labels."""
    before, after = _labels(prompt.base), _labels(prompt.head)
    table = []
    for label in dict.fromkeys([*after, *before]):
        row = after.get(label) or before[label]
        table.append(
            ClassRow(
                label=label,
                answers=sum(row.counts.values()),
                before=before[label].recall if label in before else None,
                after=after[label].recall if label in after else None,
            )
        )
    return sorted(table, key=_change)


def _change(row: ClassRow) -> float:
    return 0.0 if row.before is None or row.after is None else row.after - row.before


def _labels(version: VersionView | None) -> dict[str, LabelRowView]:
    return {} if version is None else {row.label: row for row in version.labels}


@dataclass(frozen=True, kw_only=True, slots=True)
class AssertionFailures:
    """Failures of one assertion over the cases of a prompt."""

    name: str
    answers: int
    """Answers of head that it scored."""
    before: int | None
    """Answers of base that failed it; None if base was not asked."""
    after: int


def assertion_failures(prompt: PromptView) -> list[AssertionFailures]:
    """Count the failures of each assertion; empty if there is only one, or none fails."""
    (before, _), (after, answers) = _count_failures(prompt)
    if len(answers) < 2 or not (after or before):
        return []
    failures = [
        AssertionFailures(
            name=name, answers=answers[name], before=before[name] if prompt.base else None, after=after[name]
        )
        for name in answers
    ]
    return sorted(failures, key=lambda failure: (failure.before or 0) - failure.after)


def _count_failures(prompt: PromptView) -> list[tuple[Counter[str], Counter[str]]]:
    """Count failures and scored answers of each version by assertion; advisory ones do not count."""
    failed: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    scored: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for case in prompt.case_details:
        for side, answer in enumerate((case.base, case.head)):
            for name, passed in _answer_marks(case, answer):
                scored[side][name] += 1
                failed[side][name] += passed is False
    return [(+failures, answers) for failures, answers in zip(failed, scored, strict=True)]


def _answer_marks(case: CaseView, answer: AnswerView | None) -> Iterator[tuple[str, bool | None]]:
    if answer is not None and case.excluded_reason is None:
        yield from ((mark.name, mark.passed) for mark in answer.marks if not mark.advisory)


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfusionCell:
    """How often one label was given for one expected label."""

    count: int
    css_class: str
    """`hit` or `miss` with a depth from 1 to 3 by its share of the row; empty for 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfusionRow:
    """One expected label."""

    label: LabelRowView
    cells: tuple[ConfusionCell, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfusionMatrix:
    """A confusion matrix: expected labels down, labels of the answers across."""

    title: str
    answer_labels: tuple[str, ...]
    rows: tuple[ConfusionRow, ...]
    left_out: int
    """Expected labels that are not shown."""


def confusion_matrices(prompt: PromptView) -> Iterator[ConfusionMatrix]:
    """Return the confusion matrix of each version that has labels."""
    for title, version in (("Before", prompt.base), ("After", prompt.head)):
        if version is not None and version.labels:
            labels = tuple(dict.fromkeys(label for row in version.labels for label in row.counts))[:MAX_LABELS]
            yield ConfusionMatrix(
                title=title,
                answer_labels=labels,
                rows=tuple(_row(row, labels) for row in version.labels[:MAX_LABELS]),
                left_out=max(0, len(version.labels) - MAX_LABELS),
            )


def _row(row: LabelRowView, labels: tuple[str, ...]) -> ConfusionRow:
    whole = sum(count for count in row.counts.values() if count > 0) or 1
    return ConfusionRow(
        label=row, cells=tuple(_cell(row.counts.get(label, 0), whole, hit=label == row.label) for label in labels)
    )


def _cell(count: int, whole: int, *, hit: bool) -> ConfusionCell:
    depth = min(3, 1 + 3 * count // whole)
    return ConfusionCell(count=count, css_class=f"{'hit' if hit else 'miss'}{depth}" if count > 0 else "")
