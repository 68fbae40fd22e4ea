"""The cases that tell a reviewer why: which of a prompt's cases to show in Markdown, and each as one fenced block."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from promptci.present import escape, formatting
from promptci.report.html import groups
from promptci.report.model.report import AnswerView, CaseView, PromptView

MOST_MARKS = 5
MOST_UNANSWERED = 3
"""Cases without an answer mostly say the same; a few are enough."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Telling:
    """A prompt that needs looking at, with as many of its cases as there is room for."""

    prompt: PromptView
    title: str
    """Such as `27 broken cases, right before and wrong now`; where no case tells anything, the verdict's sentence."""
    cases: list[CaseView]
    left_out: int


def choose(prompt: PromptView, most: int) -> Telling:
    """Choose the cases to show, critical ones first: broken, else failing ones of a new prompt, else unanswered."""
    ranked, title = _found(prompt)
    if ranked and prompt.case_details[min(place for *_, place in ranked)].outcome == "incomplete":
        most = min(most, MOST_UNANSWERED)
    return Telling(
        prompt=prompt,
        title=title or prompt.sentence[:1].lower() + prompt.sentence[1:].rstrip("."),
        cases=[prompt.case_details[place] for *_, place in sorted(ranked)[:most]],
        left_out=max(0, len(ranked) - most),
    )


def _found(prompt: PromptView) -> tuple[list[groups.Ranked], str]:
    """Give where the cases stand that tell most, and what they are."""
    choices: tuple[tuple[Callable[[CaseView], bool], Callable[[int], str]], ...] = (
        (
            lambda c: c.change == "same" and c.outcome == "broken" and c.aside is None,
            lambda n: f"{formatting.count(n, 'broken case')}, right before and wrong now",
        ),
        (
            lambda c: groups.graded(prompt) and groups.lower(c),
            lambda n: f"{formatting.count(n, 'case')} with lower marks than before",
        ),
        (
            lambda c: prompt.base is None and c.head_pass_rate is not None and c.head_pass_rate < 1,
            lambda n: formatting.count(n, "failing case"),
        ),
        (
            lambda c: (c.outcome == "incomplete" or c.head_pass_rate is None) and not _informs(c),
            lambda n: f"{formatting.count(n, 'case')} not evaluated",
        ),
    )
    found: list[list[groups.Ranked]] = [[] for _ in choices]
    for place, case in enumerate(prompt.case_details):
        for (belongs, _), ranked in zip(choices, found, strict=True):
            if case.aside is None and belongs(case):
                ranked.append(groups.rank(case, place))
    return next(
        ((ranked, title(len(ranked))) for (_, title), ranked in zip(choices, found, strict=True) if ranked), ([], "")
    )


def _informs(case: CaseView) -> bool:
    """Whether nothing is missing: the answers are there and only decide nothing."""
    sides = ((case.base_pass_rate, case.base), (case.head_pass_rate, case.head))
    return case.aside is not None and all(side is None or groups.undecided(rate, side) for rate, side in sides)


def block(case: CaseView, limit: int) -> escape.Ready:
    """Give the case as one fenced diff: what was asked, expected, answered before (`-`) and now (`+`).

    Every line of a text stands to the right of the names, so that an answer cannot pass itself off as another one.
    """
    rows = [(sign, name, escape.clip(escape.visible(text), limit)) for sign, name, text in _rows(case)]
    width = max(len(name) for _, name, _ in rows) + 2
    lines = [
        f"{sign} {name if i == 0 else '':{width}}{line}".rstrip()
        for sign, name, text in rows
        for i, line in enumerate((text or "(empty)").split("\n"))
    ]
    return escape.fence("\n".join(lines), limit=8 * limit, language="diff")


def _rows(case: CaseView) -> Iterator[tuple[str, str, str]]:
    yield " ", "asked", case.asked
    if case.expected is not None:
        yield " ", "expected", case.expected
    unlike = case.base is not None and case.head is not None and _said(case.base) != _said(case.head)
    if case.base is not None:
        yield "-" if unlike else " ", "before", _said(case.base)
    if case.head is not None:
        yield "+" if unlike else " ", "now", _said(case.head)
        for mark in case.head.marks[:MOST_MARKS]:
            if mark.score is not None and 0 < mark.score < 1:
                yield " ", "marks", f"{formatting.number(mark.score)}, {mark.name}: {mark.reason}"
            elif not mark.passed and mark.type != "equals":  # `equals` says again what is expected
                yield " ", "why", f"{mark.name}: {mark.reason}"


def _said(answer: AnswerView) -> str:
    if answer.text is None:
        return f"(no answer) {answer.error or ''}"
    return answer.text
