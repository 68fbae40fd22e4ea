"""The classes of a prompt that gives labels: how often each was right, before and now, and which assertions failed."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from promptci.present import formatting
from promptci.report.model.report import AnswerView, ArmView, CaseView, LabelRowView, PromptView

MOST_CLASSES = 40
MOST_CHECKS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassRow:
    """One expected label."""

    label: str
    answers: int
    """Of the version that is tested, else of the one before."""
    before: float | None
    now: float | None

    @property
    def change(self) -> str:
        """In points; nothing where a side is missing."""
        known = self.before is not None and self.now is not None
        return formatting.signed_points(self.now - self.before) if known else "–"  # type: ignore[operator]  # both known


def rows(prompt: PromptView) -> list[ClassRow]:
    """Give the classes, the one that lost most first; nothing where the prompt gives no labels."""
    before, now = _labels(prompt.base), _labels(prompt.head)
    found = []
    for label in dict.fromkeys([*now, *before]):
        one = now.get(label) or before[label]
        found.append(
            ClassRow(
                label=label,
                answers=sum(one.counts.values()),
                before=before[label].recall if label in before else None,
                now=now[label].recall if label in now else None,
            )
        )
    return sorted(found, key=_change)


def _change(row: ClassRow) -> float:
    return 0.0 if row.before is None or row.now is None else row.now - row.before


def _labels(arm: ArmView | None) -> dict[str, LabelRowView]:
    return {} if arm is None else {row.label: row for row in arm.labels}


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One assertion over the cases of a prompt."""

    name: str
    asked: int
    """Answers of the version that is tested which it marked."""
    before: int | None
    """Answers that failed it; None where that version was not asked."""
    now: int


def checks(prompt: PromptView) -> list[Check]:
    """Count who failed what, of the answers shown; nothing where there is one assertion only, or none fails."""
    (before, _), (now, asked) = _failed(prompt)
    if len(asked) < 2 or not (now or before):
        return []
    found = [
        Check(name=name, asked=asked[name], before=before[name] if prompt.base else None, now=now[name])
        for name in asked
    ]
    return sorted(found, key=lambda one: (one.before or 0) - one.now)


def _failed(prompt: PromptView) -> list[tuple[Counter[str], Counter[str]]]:
    """Count the failures and all marks of each version by the assertion's name; what decides nothing is left out."""
    failed: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    asked: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for case in prompt.case_details:
        for side, answer in enumerate((case.base, case.head)):
            for name, passed in _answer_marks(case, answer):
                asked[side][name] += 1
                failed[side][name] += passed is False
    return [(+counts, marks) for counts, marks in zip(failed, asked, strict=True)]


def _answer_marks(case: CaseView, answer: AnswerView | None) -> Iterator[tuple[str, bool | None]]:
    if answer is not None and case.aside is None:
        yield from ((mark.name, mark.passed) for mark in answer.marks if not mark.advisory)
