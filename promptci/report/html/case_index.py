"""What the table of all cases filters and sorts by: one column a property, in the order of the cases."""

import hashlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from promptci.present import escape
from promptci.report.html import groups
from promptci.report.html.groups import Found, Kind
from promptci.report.html.page_budget import ID_LENGTH
from promptci.report.model.report import AnswerView, CaseView, PromptView, ReportView

MOST_TAGS = 20
"""Of one case."""
CRITICAL, FLAKY, ERROR, NEW, CHANGED, ASIDE = 1, 2, 4, 8, 16, 32
"""What a case may be beside how it fared; the script knows these numbers."""

Figures = tuple[float | None, ...]
"""Score, milliseconds and price of an answer."""
NONE: Figures = (None, None, None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A case and where it belongs."""

    place: int
    """Of the case among all of the prompt, which may be in a file."""
    prompt: PromptView
    number: int
    """Of the prompt."""
    kind: Kind
    id: str
    result: str
    """How it fared, in words."""
    figures: tuple[Figures, Figures]
    """Of both answers."""
    tags: tuple[str, ...]
    """The case's tags, each once."""
    label: str | None
    """The expected label, where the prompt's task is to give one."""
    flags: int
    """What the case is, one bit each."""

    @property
    def case(self) -> CaseView:
        """The case with all its texts."""
        return self.prompt.case_details[self.place]


def rows(view: ReportView, found: Sequence[Sequence[Found]]) -> Iterator[Row]:
    """Give the cases of all prompts."""
    for number, (prompt, kinds) in enumerate(zip(view.prompts, found, strict=True)):
        labelled = any(arm is not None and arm.labels for arm in (prompt.base, prompt.head))
        for kind, cases in kinds:
            for place, case in cases.numbered():
                yield Row(
                    place=place,
                    prompt=prompt,
                    number=number,
                    kind=kind,
                    id=name(case.id),
                    result=sys.intern(groups.fared(case, prompt)),
                    figures=(_figures(case.base), _figures(case.head)),
                    tags=tuple(dict.fromkeys(map(name, case.tags[:MOST_TAGS]))),
                    label=name(case.expected) if labelled and case.expected is not None else None,
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
        + ASIDE * (case.aside is not None)
    )


def name(text: str) -> str:
    """Give a name as the table shows it, as a choice holds it and as a link spells it: on one line, and not endless."""
    shown = escape.one_line(text)
    if len(shown) <= ID_LENGTH:
        return shown
    digest = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:12]  # names cut alike stay apart
    return f"{shown[: ID_LENGTH - 14]}… {digest}"


def columns(rows: Sequence[Row], view: ReportView) -> dict[str, object]:
    """Give the columns, and the words that stand in them by number."""
    kinds, kind = _numbered((row.kind.slug, row.kind.title, row.kind.mood) for row in rows)
    classes, label = _numbered(row.label for row in rows)
    results, result = _numbered(row.result for row in rows)
    tags, tag = _numbered(row.tags for row in rows)
    return {
        "prompts": [name(prompt.name) for prompt in view.prompts],
        "kinds": kinds,
        "classes": classes,
        "results": results,
        "tags": tags,
        "id": [row.id for row in rows],
        "prompt": [row.number for row in rows],
        "flags": [row.flags for row in rows],
        "kind": kind,
        "class": label,
        "result": result,
        "tag": tag,
        "score": _sides(rows, 0),
        "ms": _sides(rows, 1),
        "usd": _sides(rows, 2),
    }


def _numbered(values: Iterable[object]) -> tuple[list[object], list[int]]:
    """Give each value once, and the number of each."""
    numbers: dict[object, int] = {}
    column = [numbers.setdefault(value, len(numbers)) for value in values]
    return list(numbers), column


def _sides(rows: Sequence[Row], figure: int) -> list[list[float | None]]:
    """Give a figure of both answers: all of the version before, then all of the present one."""
    return [[row.figures[side][figure] for row in rows] for side in (0, 1)]


def _figures(answer: AnswerView | None) -> Figures:
    return NONE if answer is None else tuple(map(_rounded, (answer.score, answer.latency_ms, answer.cost_usd)))


def _rounded(value: float | None) -> float | None:
    """Give four significant digits, which is one more than is shown."""
    if value is None:
        return None
    short = float(f"{value:.4g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short
