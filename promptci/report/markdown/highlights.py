"""Choose the cases that show a reviewer why a prompt got its verdict, and render each as one fenced block."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from promptci.present import escape, formatting
from promptci.report.model.report import AnswerView, CaseView, PromptView
from promptci.report.text import answer_difference
from promptci.report.text.case_outcomes import LOWER, CaseRank, is_advisory_only, is_graded, rank_case

MAX_MARKS = 5
MAX_UNANSWERED = 3
"""Cases without an answer mostly have the same error; a few are enough."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseHighlights:
    """A prompt that needs attention, with some of its cases."""

    prompt: PromptView
    title: str
    """Such as `27 broken cases, right before and wrong after`; without such cases, the verdict's sentence."""
    cases: list[CaseView]
    left_out: int


def choose_highlights(prompt: PromptView, max_cases: int) -> CaseHighlights:
    """Choose the cases to show, critical ones first: broken, else failing ones of a new prompt, else unanswered."""
    ranks, title = _rank_cases(prompt)
    if ranks and prompt.case_details[min(position for *_, position in ranks)].outcome == "incomplete":
        max_cases = min(max_cases, MAX_UNANSWERED)
    return CaseHighlights(
        prompt=prompt,
        title=title or prompt.sentence[:1].lower() + prompt.sentence[1:].rstrip("."),
        cases=[prompt.case_details[position] for *_, position in sorted(ranks)[:max_cases]],
        left_out=max(0, len(ranks) - max_cases),
    )


def _rank_cases(prompt: PromptView) -> tuple[list[CaseRank], str]:
    """Return the ranks of the cases of the first kind that occurs, and what they are."""
    kinds: tuple[tuple[Callable[[CaseView], bool], Callable[[int], str]], ...] = (
        (
            lambda c: c.change == "same" and c.outcome == "broken",
            lambda n: f"{formatting.count(n, 'broken case')}, right before and wrong after",
        ),
        (
            lambda c: is_graded(prompt) and LOWER.belongs(c),
            lambda n: f"{formatting.count(n, 'case')} with a lower score than before",
        ),
        (
            lambda c: prompt.base is None and c.head_pass_rate is not None and c.head_pass_rate < 1,
            lambda n: formatting.count(n, "failing case"),
        ),
        (
            lambda c: (c.outcome == "incomplete" or c.head_pass_rate is None) and not _is_advisory(c),
            lambda n: f"{formatting.count(n, 'case')} not evaluated",
        ),
    )
    ranks: list[list[CaseRank]] = [[] for _ in kinds]
    for position, case in enumerate(prompt.case_details):
        for (belongs, _), of_kind in zip(kinds, ranks, strict=True):
            if case.excluded_reason is None and belongs(case):
                of_kind.append(rank_case(case, position))
    return next(
        ((of_kind, title(len(of_kind))) for (_, title), of_kind in zip(kinds, ranks, strict=True) if of_kind), ([], "")
    )


def _is_advisory(case: CaseView) -> bool:
    """Return whether no answer is missing, and only advisory assertions scored them."""
    sides = ((case.base_pass_rate, case.base), (case.head_pass_rate, case.head))
    return any(answer is not None for _, answer in sides) and all(
        answer is None or is_advisory_only(rate, answer) for rate, answer in sides
    )


def render_case(case: CaseView, limit: int) -> escape.Ready:
    """Render the case as one fenced diff: input, expectation, the answer before (`-`) and after (`+`).

    Every line of a text is indented behind the names, so that an answer cannot pass itself off as another one.
    """
    rows = [(sign, name, escape.clip(escape.visible(text), limit)) for sign, name, text in _rows(case, limit)]
    width = max(len(name) for _, name, _ in rows) + 2
    lines = [
        f"{sign} {name if i == 0 else '':{width}}{line}".rstrip()
        for sign, name, text in rows
        for i, line in enumerate((text or "(empty)").split("\n"))
    ]
    return escape.fence("\n".join(lines), limit=8 * limit, language="diff")


def _rows(case: CaseView, limit: int) -> Iterator[tuple[str, str, str]]:
    yield " ", "input", case.input
    if case.expected is not None:
        yield " ", "expected", case.expected
    before, after = (None if answer is None else _answer_text(answer) for answer in (case.base, case.head))
    differ = before is not None and after is not None and before != after
    if before is not None and after is not None:
        yield from ((" ", "changed", line) for line in answer_difference.changed_json_paths(before, after))
        before, after = answer_difference.clip_around_difference(before, after, limit)
    if before is not None:
        yield "-" if differ else " ", "before", before
    if case.head is not None and after is not None:
        yield "+" if differ else " ", "after", after
        for mark in case.head.marks[:MAX_MARKS]:
            if mark.score is not None and 0 < mark.score < 1:
                yield " ", "score", f"{formatting.number(mark.score)}, {mark.name}: {mark.reason}"
            elif not mark.passed and mark.type != "equals":  # `equals` repeats the expectation
                yield " ", "why", f"{mark.name}: {mark.reason}"


def _answer_text(answer: AnswerView) -> str:
    if answer.text is None:
        return f"(no answer) {answer.error or ''}"
    return answer.text
