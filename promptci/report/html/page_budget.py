"""How much a page may hold: what goes in, in which order, until 20 MB would be passed."""

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import escape

from promptci.present.escape import visible
from promptci.report.model.report import CaseView, DiffLineView, ReportView

ANSWER_LENGTH, TEXT_LENGTH, LINE_LENGTH, ID_LENGTH = 4000, 2000, 1000, 120
"""Characters shown of an answer, of another text, of a line of a diff, of a name."""
SNIPPET_LENGTH = 110
MOST_MARKS = 20
MOST_DRAWN = 30
"""Prompts that get drawings of their own."""
LINE_OVERHEAD, DETAIL_OVERHEAD, MARK_OVERHEAD = 60, 2000, 200
"""Bytes of the tags and words around the text."""
PAGE = 19_800_000
"""Bytes of the whole page."""
FRAME, SECTION = 200_000, 30_000
"""Bytes of all that is not counted one by one: style and script; figures and drawings of a prompt."""
MOST_DETAIL_BYTES, LEAST_DETAIL_BYTES, MOST_ROW_BYTES, MOST_DIFF_BYTES = 6_000_000, 1_000_000, 4_000_000, 1_500_000


@dataclass(kw_only=True, slots=True)
class Room:
    """What is left of each kind of content, over the whole page."""

    details: int = 500
    """Cases with both answers in full; the others are lines."""
    urgent_details: int = 2000
    """So many in all, where the case is one of those that a reader must see."""
    detail_bytes: int = MOST_DETAIL_BYTES
    row_bytes: int = MOST_ROW_BYTES
    diff_bytes: int = MOST_DIFF_BYTES

    def detail(self, case: CaseView, *, urgent: bool = False) -> bool:
        """Take room for a case in full; False when there is none."""
        left = self.urgent_details if urgent else self.details
        if left < 1 or self.detail_bytes < DETAIL_OVERHEAD:
            return False
        size = DETAIL_OVERHEAD + sum(_size(text) for text in _texts(case))
        if size > self.detail_bytes:
            return False
        self.details -= 1
        self.urgent_details -= 1
        self.detail_bytes -= size
        return True

    def row(self, row: str) -> bool:
        """Take room for a case's line of a list; False when there is none."""
        self.row_bytes -= row_size(row)
        return self.row_bytes >= 0

    def line(self, line: DiffLineView) -> bool:
        """Take room for a line of a diff; False when there is none."""
        self.diff_bytes -= _line_size(line)
        return self.diff_bytes >= 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """Who gets how many bytes of a page: lines and diffs what they need, the table the most of the rest."""

    frame: int
    rows: int
    diffs: int

    @property
    def table(self) -> int:
        """What the compressed cases may take at most."""
        return PAGE - self.frame - LEAST_DETAIL_BYTES - self.rows - self.diffs

    def room(self, table: int) -> Room:
        """Give what is left for the cases drawn in full where the table took so much."""
        left = PAGE - self.frame - table - self.rows - self.diffs
        return Room(detail_bytes=min(MOST_DETAIL_BYTES, left), row_bytes=self.rows, diff_bytes=self.diffs)


def share(view: ReportView, rows: int) -> Share:
    """Reserve room for what has no other place: so many bytes of rows, and the diffs of prompts."""
    diffs = sum(_line_size(line) for prompt in view.prompts for line in prompt.diff)
    frame = FRAME + SECTION * min(len(view.prompts), MOST_DRAWN)
    return Share(frame=frame, rows=min(rows, MOST_ROW_BYTES), diffs=min(diffs, MOST_DIFF_BYTES))


def row_size(row: str) -> int:
    """Give the bytes of a case's line."""
    return 1 + _size(row)


def _line_size(line: DiffLineView) -> int:
    return LINE_OVERHEAD + _size(line.text[:LINE_LENGTH])


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
