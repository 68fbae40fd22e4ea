"""ReportView -> cases.csv: a row for each case, for a spreadsheet; no text in it becomes a formula there."""

import csv
import unicodedata
from collections.abc import Iterator

from promptci.present.escape import clip, visible
from promptci.report.model.report import AnswerView, CaseView, PromptView, ReportView

CsvCell = str | int | float | None
"""Numbers stay numbers; None is an empty cell: unknown."""

MAX_CELL_CHARS = 32_000
"""Characters of a cell; spreadsheets take 32,767."""
BYTE_ORDER_MARK = "\ufeff"
"""Byte order mark: without it Excel reads UTF-8 as the machine's old code page."""
_LEADS = frozenset("=+-@|%")
"""What begins a formula, or a command of the old DDE kind, in one spreadsheet or another."""

_CASE = (
    "prompt",
    "case",
    "change",
    "outcome",
    "critical",
    "flaky",
    "tags",
    "asked",
    "expected",
    "decides nothing because",
)
_SIDE = (
    "result",
    "score",
    "answer",
    "failed",
    "error",
    "latency_ms",
    "input_tokens",
    "output_tokens",
    "cost_usd",
    "cached",
    "model",
)
HEADER = (*_CASE, *(f"{side}_{name}" for side in ("base", "head") for name in _SIDE))


def render(view: ReportView) -> str:
    """Give the whole file."""
    return "".join(csv_pieces(view))


def csv_pieces(view: ReportView) -> Iterator[str]:
    """Give the file row by row, as RFC 4180 has it: commas, CRLF, every text in quotation marks, no number in any.

    A text that a spreadsheet would take for a formula gets an apostrophe in front, which spreadsheets do not show.
    """
    written = _Written()
    writer = csv.writer(written, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(HEADER)
    yield BYTE_ORDER_MARK + written.row
    for prompt in view.prompts:
        for case in prompt.case_details:
            writer.writerow([_safe(cell) for cell in _row(prompt, case)])
            yield written.row


class _Written:
    """What a csv.writer writes to: holds the last row."""

    row = ""

    def write(self, row: str) -> None:
        self.row = row


def escape_formula(text: str) -> str:
    """Give a text as it may stand in a cell: visible, not too long, and no formula.

    What counts is the first character that is seen: spreadsheets pass over blanks, and read the full-width signs of
    Chinese and Japanese keyboards as the plain ones.
    """
    shown = clip(visible(text), MAX_CELL_CHARS)
    first = unicodedata.normalize("NFKC", shown).lstrip()[:1]
    return f"'{shown}" if first in _LEADS or shown[:1] in "\t\n" else shown


def _safe(cell: CsvCell) -> CsvCell:
    if cell is None:
        return ""
    return escape_formula(cell) if isinstance(cell, str) else cell


def _row(prompt: PromptView, case: CaseView) -> Iterator[CsvCell]:
    yield from (prompt.name, case.id, case.change, case.outcome, _yes(case.critical), _yes(case.flaky))
    yield from (", ".join(case.tags), case.input, case.expected, case.excluded_reason)
    yield from _side(case.base, case.base_pass_rate)
    yield from _side(case.head, case.head_pass_rate)


def _side(answer: AnswerView | None, rate: float | None) -> Iterator[CsvCell]:
    if answer is None:
        yield from (None,) * len(_SIDE)
        return
    yield from (rate, answer.score, answer.text, _failed(answer), answer.error, answer.latency_ms)
    yield from (answer.input_tokens, answer.output_tokens, answer.cost_usd, _yes(answer.cached), answer.model)


def _failed(answer: AnswerView) -> str | None:
    wrong = [f"{mark.name}: {mark.reason}" for mark in answer.marks if mark.passed is False]
    return "; ".join(wrong) or None


def _yes(value: bool) -> str | None:
    """Say yes, or leave the cell empty; `TRUE` would be translated by some spreadsheets and not by others."""
    return "yes" if value else None
