"""The size of a page: one budget of bytes, spent in reading order; the table of all cases gets what remains."""

from collections.abc import Iterator

from markupsafe import escape

from promptci.lazy_dataclass import dataclass
from promptci.present.escape import visible
from promptci.report.model.report import CaseView, DiffLineView
from promptci.report.text.cases.case_outcomes import MAX_ID_CHARS

MAX_ANSWER_CHARS, MAX_TEXT_CHARS, MAX_LINE_CHARS = 4000, 2000, 1000
"""Characters shown of an answer, of another text, of a line of a diff."""
MAX_SNIPPET_CHARS = 110
MAX_MARKS = 20
MAX_CHARTED_PROMPTS = 30
"""Prompts with charts of their own."""
MAX_DETAILS, MAX_URGENT_DETAILS = 10, 30
"""Cases of a group in full; all others are in the table."""
MAX_LINES = 500
"""Cases of a group on one line each, behind those in full."""
MAX_PAGE_BYTES = 19_800_000
"""A little less than the 20 MB that a page may have."""
FRAME_BYTES, PROMPT_BYTES = 200_000, 30_000
"""Style, script and our own words; metrics and charts of a prompt."""
LINE_OVERHEAD, DETAIL_OVERHEAD, MARK_OVERHEAD = 60, 2000, 200
"""Bytes of the markup around a text."""


@dataclass(kw_only=True, slots=True)
class PageBudget:
    """Bytes left of a page. Sections may take four tenths of it, so that the table is never without space."""

    total: int
    sections: int

    @classmethod
    def for_page(cls, prompts: int, max_bytes: int = MAX_PAGE_BYTES) -> "PageBudget":
        """Return the budget of a page about so many prompts."""
        total = max_bytes - FRAME_BYTES - PROMPT_BYTES * min(prompts, MAX_CHARTED_PROMPTS)
        return cls(total=total, sections=max_bytes * 4 // 10)

    def take(self, size: int) -> bool:
        """Take bytes for a part of a section; return False if they are not left."""
        if size > min(self.sections, self.total):
            return False
        self.sections -= size
        self.total -= size
        return True

    def take_detail(self, case: CaseView) -> bool:
        """Take the bytes of a case in full."""
        return self.take(DETAIL_OVERHEAD + sum(_size(text) for text in _detail_texts(case)))

    def take_row(self, row: str) -> bool:
        """Take the bytes of a case on one line."""
        return self.take(1 + _size(row))

    def take_diff_line(self, line: DiffLineView) -> bool:
        """Take the bytes of a line of a diff."""
        return self.take(LINE_OVERHEAD + _size(line.text[:MAX_LINE_CHARS]))


def _size(text: str) -> int:
    return len(escape(visible(text)).encode())


def _detail_texts(case: CaseView) -> Iterator[str]:
    yield from (
        case.id[:MAX_ID_CHARS],
        case.input[:MAX_SNIPPET_CHARS],
        case.input[:MAX_TEXT_CHARS],
        (case.expected or "")[:MAX_TEXT_CHARS],
    )
    for answer in filter(None, (case.base, case.head)):
        yield (answer.text or answer.error or "")[:MAX_ANSWER_CHARS]
        for mark in answer.marks[:MAX_MARKS]:
            yield f"{mark.name}{mark.reason}"[:MAX_TEXT_CHARS] + " " * MARK_OVERHEAD
