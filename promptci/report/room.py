"""How much a page may hold: what goes in, in which order, until 20 MB would be passed."""

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import escape

from promptci.report.escape import visible
from promptci.report.model import CaseView, DiffLineView

ANSWER_LENGTH, TEXT_LENGTH, LINE_LENGTH, ID_LENGTH = 4000, 2000, 1000, 120
"""Characters shown of an answer, of another text, of a line of a diff, of a name."""
SNIPPET_LENGTH = 110
MOST_MARKS = 20
ROW_OVERHEAD, LINE_OVERHEAD, DETAIL_OVERHEAD, MARK_OVERHEAD = 220, 60, 2000, 200
"""Bytes of the tags around the text."""


@dataclass(kw_only=True, slots=True)
class Room:
    """What is left of each kind of content, over the whole page."""

    details: int = 500
    """Cases with both answers in full; the others are lines of a table."""
    detail_bytes: int = 6_000_000
    row_bytes: int = 9_000_000
    diff_bytes: int = 1_500_000

    def detail(self, case: CaseView) -> bool:
        """Take room for a case in full; False when there is none."""
        size = DETAIL_OVERHEAD + sum(_size(text) for text in _texts(case))
        if self.details < 1 or size > self.detail_bytes:
            return False
        self.details -= 1
        self.detail_bytes -= size
        return True

    def row(self, case: CaseView) -> bool:
        """Take room for a line of a table; False when there is none."""
        self.row_bytes -= ROW_OVERHEAD + _size(case.id[:ID_LENGTH])
        return self.row_bytes >= 0

    def line(self, line: DiffLineView) -> bool:
        """Take room for a line of a diff; False when there is none."""
        self.diff_bytes -= LINE_OVERHEAD + _size(line.text[:LINE_LENGTH])
        return self.diff_bytes >= 0


def _size(text: str) -> int:
    return len(escape(visible(text)).encode())


def _texts(case: CaseView) -> Iterator[str]:
    yield from (
        case.id[:ID_LENGTH],
        case.asked[:SNIPPET_LENGTH],
        case.asked[:TEXT_LENGTH],
        (case.expected or "")[:TEXT_LENGTH],
    )
    for answer in filter(None, (case.base, case.head)):
        yield (answer.text or answer.error or "")[:ANSWER_LENGTH]
        for mark in answer.marks[:MOST_MARKS]:
            yield f"{mark.name}{mark.reason}"[:TEXT_LENGTH] + " " * MARK_OVERHEAD
