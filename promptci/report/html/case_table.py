"""The table of all cases: an index to filter and sort by, and every text, packed, to be opened case by case."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from promptci.report.html import case_index, groups
from promptci.report.html.case_index import CRITICAL, ERROR, FLAKY, Row
from promptci.report.html.compressed_index import Packer, pack
from promptci.report.html.groups import Found
from promptci.report.html.page_budget import MOST_MARKS
from promptci.report.model.report import AnswerView, MarkView, ReportView

MOST_INDEX_BYTES = 6_000_000
"""Of the index; cases beyond it are not in the table."""
LONGEST = 20_000
"""Characters kept of one text."""
MOST_CHOICES = 500
"""Tags, classes or prompts to choose from."""
TALL, SHORT = 12, 4
"""From so many cases on, the table takes its whole height; up to so many, its least."""
ORDER = (
    *("broken", "failing", "lower", "fixed", "higher", "missing", "apart", "wrong", "right", "passing"),
    *("unasked", "aside"),
)
"""The kinds of cases, from the one to be read first."""
WORSE, BETTER = ("broken", "failing", "lower"), ("fixed", "higher")


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What cases can be filtered by: a value, and how many have it."""

    value: str
    label: str
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Explorer:
    """All that the page needs for the table."""

    size: int
    """Cases in the table."""
    left_out: int
    """Cases for which it has no room."""
    without_texts: int
    """Cases in it for whose texts there is no room."""
    outcomes: tuple[Choice, ...]
    prompts: tuple[Choice, ...]
    tags: tuple[Choice, ...]
    classes: tuple[Choice, ...]
    height: str
    index: Markup
    starts: Markup
    """Where each block starts."""
    blocks: tuple[Markup, ...]

    @property
    def bytes(self) -> int:
        """What the packed part takes."""
        return len(self.index) + len(self.starts) + sum(map(len, self.blocks))


def plan(view: ReportView, found: Sequence[Sequence[Found]], room: int) -> Explorer:
    """Pack the cases, what is read first before the rest, until `room` is taken."""
    rows = sorted(case_index.rows(view, found), key=lambda row: ORDER.index(row.kind.slug))
    total, most = len(rows), min(room, MOST_INDEX_BYTES)
    while len(index := pack(case_index.columns(rows, view))) > most:
        rows = rows[: int(len(rows) * 0.9 * most / len(index))]
    packer = _packed(rows, room - len(index))
    return Explorer(
        size=len(rows),
        left_out=total - len(rows),
        without_texts=len(rows) - packer.records,
        outcomes=tuple(_outcomes(rows)),
        prompts=_counted(case_index.name(row.prompt.name) for row in rows),
        tags=_counted(tag for row in rows for tag in row.tags),
        classes=_counted(row.label for row in rows if row.label is not None),
        height="tall" if len(rows) >= TALL else "short" if len(rows) <= SHORT else "middle",
        index=index,
        starts=pack([packer.records, packer.starts]),
        blocks=tuple(packer.blocks),
    )


def _packed(rows: Iterable[Row], room: int) -> Packer:
    packer = Packer(room=room)
    for row in rows:
        if packer.full:
            return packer
        case = row.case
        texts = [_cut(packer, text) for text in (case.asked, case.expected, case.aside)]
        sides = ((case.base, case.base_pass_rate), (case.head, case.head_pass_rate))
        packer.add([*texts, *(_answer(packer, answer, rate) for answer, rate in sides)])
    packer.close()
    return packer


def _cut(packer: Packer, text: str | None) -> object:
    return packer.text(None if text is None else text[:LONGEST])


def _answer(packer: Packer, answer: AnswerView | None, rate: float | None) -> object:
    """Give what is shown of an answer when its case is opened; the script reads it by position."""
    if answer is None:
        return None
    return [
        _cut(packer, answer.text),
        len(answer.text) if answer.text is not None and len(answer.text) > LONGEST else None,
        _cut(packer, answer.error),
        answer.passed,
        [_cut(packer, flag) for flag in answer.flags],
        [_mark(packer, mark) for mark in answer.marks[:MOST_MARKS]],
        [_cut(packer, answer.model), _cut(packer, answer.fingerprint), _cut(packer, answer.finish_reason)],
        [answer.input_tokens, answer.output_tokens, answer.cached, groups.result(rate, answer)],
    ]


def _mark(packer: Packer, mark: MarkView) -> object:
    return [_cut(packer, mark.name), mark.passed, mark.score, mark.advisory, _cut(packer, mark.reason)]


def _counted(values: Iterable[str]) -> tuple[Choice, ...]:
    """Give the values there are, the most frequent first; none where there is no choice."""
    counts = Counter(values).most_common(MOST_CHOICES)
    return tuple(Choice(value=value, label=value, count=count) for value, count in counts)


def _outcomes(rows: Sequence[Row]) -> Iterator[Choice]:
    """Give the kinds of cases there are, what they have in common, and what a case of any kind may be."""
    kinds = Counter(row.kind.slug for row in rows)
    titles = {row.kind.slug: row.kind.title for row in rows}
    for value, label, slugs in (("worse", "Worse", WORSE), ("better", "Better", BETTER)):
        if sum(slug in kinds for slug in slugs) > 1:
            yield Choice(value=value, label=label, count=sum(kinds[slug] for slug in slugs))
    for slug in ORDER:
        if slug in kinds:
            yield Choice(value=slug, label=titles[slug], count=kinds[slug])
    flags = Counter(row.flags for row in rows)
    for value, label, flag in (
        ("error", "Answer missing", ERROR),
        ("critical", "Critical", CRITICAL),
        ("flaky", "Flaky", FLAKY),
    ):
        if count := sum(number for set_, number in flags.items() if set_ & flag):
            yield Choice(value=value, label=label, count=count)
