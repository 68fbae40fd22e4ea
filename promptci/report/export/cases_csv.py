"""ReportView -> cases.csv: one row per case, for a spreadsheet; no text becomes a formula there."""

import unicodedata
from collections.abc import Iterable, Iterator

from promptci.present.escape import clip, visible
from promptci.report.model.report import AnswerView, CaseView, PromptView, ReportView

CsvCell = str | int | float | None
"""Numbers stay numbers; None is an empty cell: unknown."""

MAX_CELL_CHARS = 32_000
"""Characters of a cell; spreadsheets take 32,767."""
BYTE_ORDER_MARK = "\ufeff"
"""Byte order mark: without it Excel reads UTF-8 as the machine's old code page."""
_LEADS = frozenset("=+-@|%")
"""First characters of a formula or a DDE command in some spreadsheet."""

_CASE = (
    "prompt",
    "case",
    "change",
    "outcome",
    "critical",
    "flaky",
    "tags",
    "input",
    "expected",
    "excluded_reason",
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
    """Render the whole file."""
    return "".join(csv_pieces(view))


def csv_pieces(view: ReportView) -> Iterator[str]:
    """Return the file row by row as in RFC 4180: commas, CRLF, texts quoted, numbers not.

    A text that a spreadsheet would read as a formula gets a leading apostrophe, which spreadsheets do not show.
    """
    yield BYTE_ORDER_MARK + _join(HEADER)
    for prompt in view.prompts:
        for case in prompt.case_details:
            yield _join(_row(prompt, case))


def _join(cells: Iterable[CsvCell]) -> str:
    # csv.writer looks at each character of a text: 200 µs for a row of 5 kB, and this 10.
    return ",".join(map(_write_cell, cells)) + "\r\n"


def escape_formula(text: str) -> str:
    """Return a text that is safe in a cell: visible, not too long, not a formula.

    The first visible character counts: spreadsheets skip blanks, and read full-width signs as plain ones.
    """
    shown = clip(visible(text), MAX_CELL_CHARS)
    first = unicodedata.normalize("NFKC", shown).lstrip()[:1]
    return f"'{shown}" if first in _LEADS or shown.startswith(("\t", "\n")) else shown


def _write_cell(cell: CsvCell) -> str:
    if cell is None:
        return '""'
    if isinstance(cell, str):
        return '"' + escape_formula(cell).replace('"', '""') + '"'
    return repr(cell)


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
    """Return `yes` or an empty cell; some spreadsheets would translate `TRUE`."""
    return "yes" if value else None
