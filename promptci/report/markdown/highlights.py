"""Render a case as one fenced block, which shows a reviewer why it broke."""

import textwrap
import unicodedata
from collections.abc import Iterator

from promptci.present import escape, formatting
from promptci.report.model.report import AnswerView, CaseView
from promptci.report.text.cases import answer_difference, answer_excerpt

MAX_MARKS = 5
MAX_LINE_CHARS = 88
"""Of a line, its sign left out: a comment is about 95 characters wide."""


def render_case(case: CaseView, limit: int) -> escape.Ready:
    """Render the case as one fenced diff: input, expectation, the answer before (`-`) and after (`+`).

    Every line of a text is indented behind the names, so that an answer cannot pass itself off as another one.
    """
    rows = [(sign, name, escape.clip(escape.visible(text), limit)) for sign, name, text in _rows(case, limit)]
    width = max(len(name) for _, name, _ in rows) + 2
    lines = [
        f"{sign} {name if i == 0 else '':{width}}{line}".rstrip()
        for sign, name, text in rows
        for i, line in enumerate(_wrap(text or "(empty)", MAX_LINE_CHARS - width))
    ]
    return escape.fence("\n".join(lines), limit=8 * limit, language="diff")


def _wrap(text: str, width: int) -> Iterator[str]:
    """Yield the lines of a text cut to a width that a comment shows without scrolling, between words if possible."""
    for line in text.split("\n"):
        wide = sum(unicodedata.east_asian_width(char) in "WF" for char in line) > len(line) / 2
        yield from textwrap.wrap(
            line, width // 2 if wide else width, replace_whitespace=False, break_on_hyphens=False
        ) or [""]


def _rows(case: CaseView, limit: int) -> Iterator[tuple[str, str, str]]:
    yield " ", "input", case.input
    if case.expected is not None:
        yield " ", "expected", case.expected
    before, after = (None if answer is None else _answer_text(answer) for answer in (case.base, case.head))
    differ = before is not None and after is not None and before != after
    if before is not None and after is not None:
        yield from ((" ", "changed", line) for line in answer_difference.changed_json_paths(before, after))
        before, after = answer_excerpt.clip_around_differences(before, after, limit)
    if before is not None:
        yield "-" if differ else " ", "before", before
    if case.head is not None and after is not None:
        yield "+" if differ else " ", "after", after
        for mark in case.head.marks[:MAX_MARKS]:
            if mark.score is not None and 0 < mark.score < 1:
                yield " ", "score", f"{formatting.number(mark.score)}, {mark.name}: {mark.reason}"
            elif not mark.passed and not answer_difference.repeats_expectation(mark, case):
                yield " ", "why", f"{mark.name}: {mark.reason}"


def _answer_text(answer: AnswerView) -> str:
    if answer.text is None:
        return f"(no answer) {answer.error or ''}"
    return answer.text
