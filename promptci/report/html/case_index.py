"""Index of the table of all cases: what it filters and sorts by, one column per property."""

import hashlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from promptci.present import escape
from promptci.report.html.groups import KindWithCases
from promptci.report.model.report import CaseView, PromptView, ReportView
from promptci.report.text.cases.case_outcomes import MAX_ID_CHARS, CaseKind, describe_outcome, mean_scores

MAX_TAGS = 20
"""Tags of one case."""
CRITICAL, FLAKY, ERROR, NEW, CHANGED, EXCLUDED = 1, 2, 4, 8, 16, 32
"""Flags of a case, one bit each; explorer.js has the same numbers."""

AnswerNumbers = tuple[float | None, ...]
"""Score, milliseconds and price of an answer."""
NO_NUMBERS: AnswerNumbers = (None, None, None)


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseRow:
    """One row of the table."""

    position: int
    """Position of the case among those of the prompt."""
    prompt: PromptView
    prompt_number: int
    """Position of the prompt in the run."""
    kind: CaseKind
    id: str
    result: str
    """Its outcome as text."""
    numbers: tuple[AnswerNumbers, AnswerNumbers]
    """Numbers of both answers."""
    tags: tuple[str, ...]
    """The case's tags, without repetitions."""
    label: str | None
    """The expected label, if the prompt returns labels."""
    flags: int
    """Flags, one bit each."""

    @property
    def case(self) -> CaseView:
        """The case with all its texts."""
        return self.prompt.case_details[self.position]


def case_rows(view: ReportView, grouped: Sequence[Sequence[KindWithCases]]) -> Iterator[CaseRow]:
    """Return the rows of all prompts."""
    for number, (prompt, kinds) in enumerate(zip(view.prompts, grouped, strict=True)):
        labelled = any(version is not None and version.labels for version in (prompt.base, prompt.head))
        for kind, cases in kinds:
            for position, case in cases.with_positions():
                yield CaseRow(
                    position=position,
                    prompt=prompt,
                    prompt_number=number,
                    kind=kind,
                    id=display_name(case.id),
                    result=sys.intern(describe_outcome(case, prompt)),
                    numbers=_answer_numbers(case),
                    tags=tuple(dict.fromkeys(map(display_name, case.tags[:MAX_TAGS]))),
                    label=display_name(case.expected) if labelled and case.expected is not None else None,
                    flags=_flags(case, prompt),
                )


def _flags(case: CaseView, prompt: PromptView) -> int:
    answers = [answer for answer in (case.base, case.head) if answer is not None]
    return (
        CRITICAL * case.critical
        + FLAKY * case.flaky
        + ERROR * any(answer.error is not None or answer.text is None for answer in answers)
        + NEW * (case.change == "new" and prompt.base is not None)
        + CHANGED * (case.change == "changed" and prompt.base is not None)
        + EXCLUDED * (case.excluded_reason is not None)
    )


def display_name(text: str) -> str:
    """Return a name for the table, its filters and links: on one line, and cut if it is long."""
    shown = escape.one_line(text)
    if len(shown) <= MAX_ID_CHARS:
        return shown
    digest = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:12]  # names cut alike stay apart
    return f"{shown[: MAX_ID_CHARS - 14]}… {digest}"


def index_columns(rows: Sequence[CaseRow], view: ReportView) -> dict[str, object]:
    """Return the columns; repeated values are numbers of entries in a list."""
    kinds, kind = _enumerate_values((row.kind.slug, row.kind.title, row.kind.mood) for row in rows)
    classes, label = _enumerate_values(row.label for row in rows)
    results, result = _enumerate_values(row.result for row in rows)
    tags, tag = _enumerate_values(row.tags for row in rows)
    return {
        "prompts": [display_name(prompt.name) for prompt in view.prompts],
        "kinds": kinds,
        "classes": classes,
        "results": results,
        "tags": tags,
        "id": [row.id for row in rows],
        "prompt": [row.prompt_number for row in rows],
        "flags": [row.flags for row in rows],
        "kind": kind,
        "class": label,
        "result": result,
        "tag": tag,
        "score": _both_answers(rows, 0),
        "ms": _both_answers(rows, 1),
        "usd": _both_answers(rows, 2),
    }


def _enumerate_values(values: Iterable[object]) -> tuple[list[object], list[int]]:
    """Return the distinct values, and the column as their numbers."""
    numbers: dict[object, int] = {}
    column = [numbers.setdefault(value, len(numbers)) for value in values]
    return list(numbers), column


def _both_answers(rows: Sequence[CaseRow], which: int) -> list[list[float | None]]:
    """Return one number of all answers: of all answers before, then of all after."""
    return [[row.numbers[side][which] for row in rows] for side in (0, 1)]


def _answer_numbers(case: CaseView) -> tuple[AnswerNumbers, AnswerNumbers]:
    before, after = (
        NO_NUMBERS if answer is None else tuple(map(_round_number, (score, answer.latency_ms, answer.cost_usd)))
        for answer, score in zip((case.base, case.head), mean_scores(case), strict=True)
    )
    return before, after


def _round_number(value: float | None) -> float | None:
    """Round to four significant digits, one more than is shown."""
    if value is None:
        return None
    rounded = float(f"{value:.4g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded
