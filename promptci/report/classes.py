"""The classes of a prompt that gives labels: how often each was right, before and now, and which assertions failed."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from promptci.report import filters
from promptci.report.model import AnswerView, ArmView, CaseView, LabelRowView, PromptView

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
        return filters.signed_points(self.now - self.before) if known else "–"  # type: ignore[operator]  # both known


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
    now, asked = _failed(prompt, "head")
    before, _ = _failed(prompt, "base")
    if len(asked) < 2 or not (now or before):
        return []
    found = [
        Check(name=name, asked=asked[name], before=before[name] if prompt.base else None, now=now[name])
        for name in asked
    ]
    return sorted(found, key=lambda one: (one.before or 0) - one.now)


def _failed(prompt: PromptView, side: str) -> tuple[Counter[str], Counter[str]]:
    """Count the failures and all marks of one version by the assertion's name; what decides nothing is left out."""
    failed: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for case in prompt.case_details:
        for mark in _answer_marks(case, side):
            asked[mark[0]] += 1
            failed[mark[0]] += mark[1] is False
    return +failed, asked


def _answer_marks(case: CaseView, side: str) -> Iterator[tuple[str, bool | None]]:
    answer: AnswerView | None = case.head if side == "head" else case.base
    if answer is not None and case.aside is None:
        yield from ((mark.name, mark.passed) for mark in answer.marks if not mark.informs)
