"""Groups of cases with the same outcome, with both answers and the words in which they differ."""

from collections.abc import Iterator, Sequence

from promptci.lazy_dataclass import dataclass
from promptci.present import word_diff
from promptci.present.word_diff import TextPiece
from promptci.report.build.cases.case_store import CaseSubset
from promptci.report.html import paper
from promptci.report.html.page_budget import (
    MAX_ANSWER_CHARS,
    MAX_DETAILS,
    MAX_LINES,
    MAX_URGENT_DETAILS,
    PageBudget,
)
from promptci.report.html.paper import PagePiece
from promptci.report.model.report import AnswerView, CaseView, PromptView
from promptci.report.text.cases import answer_difference, case_highlights
from promptci.report.text.cases.case_highlights import CauseCount
from promptci.report.text.cases.case_outcomes import CaseKind, CaseRank, describe_case, kinds_of, rank_case

OPEN_CASES_PER_GROUP = 5
"""Cases of an open group whose answers show without a click: the first one of each cause."""
OPEN_KINDS = ("broken", "rarer", "failing", "lower")


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerPanel:
    """One version's answer to one case."""

    slug: str
    """`before` or `after`."""
    answer: AnswerView
    rate: float | None
    """Share of the repeated answers that passed."""
    pieces: tuple[PagePiece, ...] = ()
    """The answer's text, with what differs from the other side marked."""
    length: int | None = None
    """Characters in all, if the text is cut."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseDetail:
    """A case with its answers."""

    case: CaseView
    panels: tuple[AnswerPanel, ...]
    changes: tuple[str, ...]
    """Values that differ, by path, where both answers are JSON."""
    open: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseGroup:
    """Cases with the same outcome."""

    slug: str
    title: str
    note: str
    open: bool
    details: tuple[CaseDetail, ...]
    lines: tuple[str, ...]
    """One line for each case that is not shown in full."""
    left_out: int
    """Cases that have no space at all."""
    causes: tuple[CauseCount, ...] = ()
    """Of cases that went wrong: what several of them have in common."""

    @property
    def not_on_paper(self) -> int:
        """Cases that are not printed."""
        return max(0, self.size - paper.MAX_CASES)

    @property
    def own_causes(self) -> int:
        """Cases that share their mistake with no other one, or with few."""
        return self.size - sum(cause.cases for cause in self.causes)

    @property
    def size(self) -> int:
        """Number of cases of the group."""
        return len(self.details) + len(self.lines) + self.left_out


KindWithCases = tuple[CaseKind, CaseSubset]


def group_cases(prompt: PromptView) -> list[KindWithCases]:
    """Return the kinds that occur, with their cases, in reading order: broken cases first."""
    kinds = kinds_of(prompt)
    *others, excluded = kinds
    ranks: dict[str, list[CaseRank]] = {kind.slug: [] for kind in kinds}
    for position, case in enumerate(prompt.case_details):
        kind = next(kind for kind in (excluded, *others) if kind.belongs(case))
        ranks[kind.slug].append(rank_case(case, position))
    return [
        (kind, CaseSubset(prompt.case_details, (position for *_, position in sorted(ranks[kind.slug]))))
        for kind in kinds
        if ranks[kind.slug]
    ]


def build_group(prompt: PromptView, kind: CaseKind, cases: Sequence[CaseView], budget: PageBudget) -> CaseGroup:
    """Build the group of these cases: the first in full, the next ones on a line each, as far as the budget goes."""
    is_open = kind.slug in OPEN_KINDS
    max_details = MAX_URGENT_DETAILS if kind.urgent else MAX_DETAILS
    details: list[CaseDetail] = []
    lines: list[str] = []
    opened: set[tuple[str, ...]] = set()
    left_out = 0
    for case in cases:
        if len(details) < max_details and budget.take_detail(case):
            cause = case_highlights.find_cause(case)
            is_example = is_open and cause not in opened and len(opened) < OPEN_CASES_PER_GROUP
            opened |= {cause} if is_example else set()
            panels, changes = tuple(_answer_panels(case)), tuple(_json_changes(case))
            details.append(CaseDetail(case=case, panels=panels, changes=changes, open=is_example))
        elif len(lines) < MAX_LINES and budget.take_row(line := describe_case(case, prompt)):
            lines.append(line)
        else:
            left_out += 1
    return CaseGroup(
        slug=kind.slug,
        title=kind.title,
        note=kind.note,
        open=is_open,
        details=tuple(details),
        lines=tuple(lines),
        left_out=left_out,
        causes=tuple(case_highlights.count_causes(cases)) if is_open else (),
    )


def _json_changes(case: CaseView) -> Iterator[str]:
    """Yield the values that differ where both answers are JSON; layout and the order of keys are no difference."""
    texts = [answer.text if answer else None for answer in (case.base, case.head)]
    before, after = ("" if text is None or len(text) > MAX_ANSWER_CHARS else text for text in texts)
    yield from answer_difference.changed_json_paths(before, after)


def _answer_panels(case: CaseView) -> Iterator[AnswerPanel]:
    texts = [(answer.text or "")[:MAX_ANSWER_CHARS] if answer else "" for answer in (case.base, case.head)]
    both = case.base is not None and case.head is not None and None not in (case.base.text, case.head.text)
    plain = tuple((TextPiece(text=text, differs=False),) for text in texts)
    marked = word_diff.mark_differences(*texts) if both else plain
    before, after = paper.cut_answers(*marked)
    for slug, answer, rate, pieces in (
        ("before", case.base, case.base_pass_rate, before),
        ("after", case.head, case.head_pass_rate, after),
    ):
        if answer is not None:
            length = len(answer.text or "")
            cut = length if length > MAX_ANSWER_CHARS else None
            yield AnswerPanel(slug=slug, answer=answer, rate=rate, pieces=pieces, length=cut)
