"""The table of all cases: an index to filter and sort by, and all texts, compressed, to be opened case by case."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from markupsafe import Markup

from promptci.lazy_dataclass import dataclass
from promptci.report.html import case_index
from promptci.report.html.case_index import CRITICAL, ERROR, FLAKY, KIND_ORDER, CaseIndex
from promptci.report.html.compressed_index import Packer, pack
from promptci.report.html.groups import KindWithCases
from promptci.report.html.page_budget import MAX_MARKS
from promptci.report.model.report import AnswerView, CaseView, MarkView, ReportView
from promptci.report.text.cases.case_outcomes import describe_result

MAX_INDEX_BYTES = 6_000_000
"""Size of the index; cases beyond it are not in the table."""
MAX_TEXT_CHARS = 20_000
"""Characters kept of one text."""
MAX_FILTER_OPTIONS = 500
"""Tags, classes or prompts to choose from."""
MIN_TALL_ROWS, MAX_SHORT_ROWS = 12, 4
"""Number of cases from which the table has its full height, and up to which it has its least."""
WORSE, BETTER = ("broken", "rarer", "failing", "lower"), ("fixed", "oftener", "higher")


@dataclass(frozen=True, kw_only=True, slots=True)
class FilterOption:
    """One option of a filter, with the number of its cases."""

    value: str
    label: str
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseTable:
    """The data of the table of all cases."""

    size: int
    """Cases in the table."""
    left_out: int
    """Cases that are not in the table."""
    without_texts: int
    """Cases in the table without their texts."""
    outcomes: tuple[FilterOption, ...]
    prompts: tuple[FilterOption, ...]
    tags: tuple[FilterOption, ...]
    classes: tuple[FilterOption, ...]
    height: str
    index: Markup
    starts: Markup
    """First record and first text of each block."""
    blocks: tuple[Markup, ...]

    @property
    def bytes(self) -> int:
        """Size of the packed data."""
        return len(self.index) + len(self.starts) + sum(map(len, self.blocks))


def build_case_table(view: ReportView, grouped: Sequence[Sequence[KindWithCases]], max_bytes: int) -> CaseTable:
    """Pack the cases in reading order, as many as fit into `max_bytes`."""
    rows = CaseIndex(view, grouped)
    total, max_index = len(rows), min(max_bytes, MAX_INDEX_BYTES)
    while len(index := pack(rows.columns())) > max_index and len(rows):
        rows.cut(max(0, int(len(rows) * 0.9 * max_index / len(index))))
    cases = (case for _, _, case in case_index.iterate_cases(grouped))
    packer = _pack_texts(islice(cases, len(rows)), max_bytes - len(index))
    return CaseTable(
        size=len(rows),
        left_out=total - len(rows),
        without_texts=len(rows) - packer.records,
        outcomes=tuple(_outcome_options(rows)),
        prompts=_filter_options(rows.count_prompts()),
        tags=_filter_options(_count_tags(rows)),
        classes=_filter_options(Counter({label: count for label, count in rows.label.count() if label is not None})),
        height="tall" if len(rows) >= MIN_TALL_ROWS else "short" if len(rows) <= MAX_SHORT_ROWS else "middle",
        index=index,
        starts=pack([packer.records, packer.starts]),
        blocks=tuple(packer.blocks),
    )


def _pack_texts(cases: Iterable[CaseView], max_bytes: int) -> Packer:
    packer = Packer(max_bytes=max_bytes)
    for case in cases:
        if packer.full:
            return packer
        texts = [_cut(packer, text) for text in (case.input, case.expected, case.excluded_reason)]
        sides = ((case.base, case.base_pass_rate), (case.head, case.head_pass_rate))
        packer.add([*texts, *(_answer(packer, answer, rate) for answer, rate in sides)])
    packer.close()
    return packer


def _cut(packer: Packer, text: str | None) -> object:
    return packer.text(None if text is None else text[:MAX_TEXT_CHARS])


def _answer(packer: Packer, answer: AnswerView | None, rate: float | None) -> object:
    """Return what an opened case shows of an answer; the script reads it by position."""
    if answer is None:
        return None
    return [
        _cut(packer, answer.text),
        len(answer.text) if answer.text is not None and len(answer.text) > MAX_TEXT_CHARS else None,
        _cut(packer, answer.error),
        answer.passed,
        [_cut(packer, flag) for flag in answer.flags],
        [_pack_mark(packer, mark) for mark in answer.marks[:MAX_MARKS]],
        [_cut(packer, answer.model), _cut(packer, answer.fingerprint), _cut(packer, answer.finish_reason)],
        [answer.input_tokens, answer.output_tokens, answer.cached, describe_result(rate, answer)],
    ]


def _pack_mark(packer: Packer, mark: MarkView) -> object:
    return [_cut(packer, mark.name), mark.passed, mark.score, mark.advisory, _cut(packer, mark.reason)]


def _filter_options(counts: Counter[str]) -> tuple[FilterOption, ...]:
    """Return the values that occur, the most frequent first."""
    frequent = counts.most_common(MAX_FILTER_OPTIONS)
    return tuple(FilterOption(value=value, label=value, count=count) for value, count in frequent)


def _count_tags(rows: CaseIndex) -> Counter[str]:
    counts: Counter[str] = Counter()
    for tags, count in rows.tags.count():
        for tag in tags:
            counts[tag] += count
    return counts


def _outcome_options(rows: CaseIndex) -> Iterator[FilterOption]:
    """Return the kinds of cases that occur, their supersets (worse, better), and the flags that occur."""
    kinds: Counter[str] = Counter()
    titles: dict[str, str] = {}
    for (slug, title, _), count in rows.kind.count():
        kinds[slug] += count
        titles[slug] = title
    for value, label, slugs in (("worse", "Worse", WORSE), ("better", "Better", BETTER)):
        if sum(slug in kinds for slug in slugs) > 1:
            yield FilterOption(value=value, label=label, count=sum(kinds[slug] for slug in slugs))
    for slug in KIND_ORDER:
        if slug in kinds:
            yield FilterOption(value=slug, label=titles[slug], count=kinds[slug])
    flags = rows.count_flags()
    for value, label, flag in (
        ("error", "Answer or score missing", ERROR),
        ("critical", "Critical", CRITICAL),
        ("flaky", "Flaky", FLAKY),
    ):
        if count := sum(number for set_, number in flags.items() if set_ & flag):
            yield FilterOption(value=value, label=label, count=count)
