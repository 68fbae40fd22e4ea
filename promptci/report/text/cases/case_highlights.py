"""Choose the cases that show a reader why a prompt got its verdict, and count equal mistakes. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from promptci.lazy_dataclass import dataclass
from promptci.present import escape, formatting
from promptci.report.model.report import CaseView, PromptView
from promptci.report.text.cases.case_outcomes import (
    LOWER,
    CaseRank,
    is_advisory_only,
    is_broken,
    is_graded,
    is_worse,
    rank_case,
)

MAX_UNANSWERED = 3
"""Cases without an answer mostly have the same error; a few are enough."""
MAX_CONFUSIONS = 3
MAX_CAUSES = 10
_FAILURES = {
    "contains": "lack the text that they must contain",
    "icontains": "lack the text that they must contain",
    "contains-all": "lack a text that they must contain",
    "contains-any": "lack every text of which they must contain one",
    "not-contains": "contain a text that they must not",
    "starts-with": "do not begin as they must",
    "ends-with": "do not end as they must",
    "is-json": "are no valid JSON",
    "json-schema": "do not fit the JSON schema",
    "length": "are too long or too short",
}
"""What is wrong with answers that fail an assertion of this type."""
MAX_CLASS_CHARS = 40
"""A longer expectation or answer is no class."""


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
        cases=_choose_varied([prompt.case_details[position] for *_, position in sorted(ranks)], max_cases),
        left_out=max(0, len(ranks) - max_cases),
    )


def _choose_varied(cases: Sequence[CaseView], limit: int) -> list[CaseView]:
    """Choose cases in their order, so that each set of failed assertions is shown before one is shown twice."""
    seen: set[tuple[str, ...]] = set()
    first_ones: list[CaseView] = []
    others: list[CaseView] = []
    for case in cases:
        failed = tuple(failed_assertions(case))
        (others if failed in seen else first_ones).append(case)
        seen.add(failed)
    return [*first_ones, *others][:limit]


def failed_assertions(case: CaseView) -> list[str]:
    """Return the names of the assertions that head's answer fails; advisory ones do not count."""
    return [mark.name for mark in case.head.marks if mark.passed is False and not mark.advisory] if case.head else []


def find_typical(highlights: CaseHighlights) -> CaseView | None:
    """Return a broken case that is not critical, where the one that is shown is: it may be unlike the others."""
    if not highlights.cases or not highlights.cases[0].critical or not is_worse(highlights.cases[0]):
        return None
    plain = (
        case for case in highlights.cases[1:] if not case.critical and case.head and case.head.text and case.expected
    )
    return next(plain, None)


def describe_shared_failures(prompt: PromptView) -> list[str]:
    """Return which named assertions several cases that got worse fail, each as a sentence without its full stop.

    Where an answer is compared with the expected text alone, the assertion says nothing about the cause.
    """
    worse = [case for case in prompt.case_details if is_worse(case) and case.excluded_reason is None]
    types = {mark.name: mark.type for case in worse if case.head for mark in case.head.marks}
    plain = {name for name, kind in types.items() if kind in ("equals", "one-of")}
    counts = Counter(name for case in worse for name in set(failed_assertions(case)) - plain)
    return [
        _describe_failure(name, types[name], n, len(worse)) for name, n in counts.most_common(MAX_CONFUSIONS) if n > 1
    ]


def _describe_failure(name: str, kind: str, failing: int, total: int) -> str:
    subject = (
        f"all {total:,} answers that got worse" if failing == total else f"{failing:,} of {total:,} that got worse"
    )
    label = f"`{name.replace('`', chr(39))}`"
    return f"{subject} {_FAILURES[kind]} ({label})" if kind in _FAILURES else f"{subject} fail {label}"


def order_highlights(highlights: Iterable[CaseHighlights]) -> list[CaseHighlights]:
    """Put first the prompt whose first case is shown unfolded: one that failed, else one with any case to show."""
    return sorted(highlights, key=lambda each: (not each.cases, each.prompt.verdict != "fail"))


def describe_confusions(prompt: PromptView) -> list[str]:
    """Return which class broken cases got instead of the expected one, such as `account → product ×6`.

    A class is what some case of the prompt expects. Mistakes that occur once are left out: they are shown as cases.
    """
    classes = {_class_of(case.expected) for case in prompt.case_details}
    counts = Counter(
        (expected, answer)
        for case in prompt.case_details
        if is_worse(case) and case.excluded_reason is None
        if (expected := _class_of(case.expected)) and case.head and (answer := _class_of(case.head.text))
        if expected != answer and answer in classes
    )
    return [f"{a} → {b} ×{n}" for (a, b), n in counts.most_common(MAX_CONFUSIONS) if n > 1]


@dataclass(frozen=True, kw_only=True, slots=True)
class CauseCount:
    """Cases that went wrong in the same way."""

    assertion: str
    """Names of the assertions that failed; empty where the answer is missing."""
    answer: str | None
    """The answer, where it is short; None: longer texts, which differ from case to case."""
    cases: int


def find_cause(case: CaseView) -> tuple[str, ...]:
    """Return what tells a case's mistake from others: the answer where it is short, then the failed assertions."""
    answer = case.head
    if answer is None or answer.text is None:
        return ("",)
    return (_class_of(answer.text) or "", *failed_assertions(case))


def count_causes(cases: Iterable[CaseView]) -> list[CauseCount]:
    """Return the causes that several cases share, the most frequent first."""
    counts = Counter(find_cause(case) for case in cases)
    return [
        CauseCount(assertion=", ".join(failed), answer=answer or None, cases=number)
        for (answer, *failed), number in counts.most_common(MAX_CAUSES)
        if number > 1
    ]


def _class_of(text: str | None) -> str | None:
    """Return a text that may be a class, on one line; None: it is none."""
    shown = escape.one_line((text or "").strip())
    return shown if shown and len(shown) <= MAX_CLASS_CHARS else None


def _rank_cases(prompt: PromptView) -> tuple[list[CaseRank], str]:
    """Return the ranks of the cases of the first kind that occurs, and what they are."""
    kinds: tuple[tuple[Callable[[CaseView], bool], Callable[[int], str]], ...] = (
        (is_worse, lambda n: _name_worse(prompt, n)),
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
    if not any(ranks) and prompt.judge and not prompt.judge.trusted and prompt.quality is None:
        advisory = [rank_case(case, i) for i, case in enumerate(prompt.case_details) if case.head and case.head.text]
        return advisory, f"{formatting.count(len(advisory), 'case')} for a person to read" if advisory else ""
    return next(
        ((of_kind, title(len(of_kind))) for (_, title), of_kind in zip(kinds, ranks, strict=True) if of_kind), ([], "")
    )


def _name_worse(prompt: PromptView, number: int) -> str:
    """Name the cases that got worse: broken ones, and those that are right less often."""
    broken = sum(is_broken(case) and case.excluded_reason is None for case in prompt.case_details)
    rarer = number - broken
    if not rarer:
        return f"{formatting.count(broken, 'broken case')}, right before and wrong after"
    if not broken:
        return f"{formatting.count(rarer, 'case')} less often right than before"
    return f"{formatting.count(broken, 'broken case')}, and {rarer:,} less often right than before"


def _is_advisory(case: CaseView) -> bool:
    """Return whether no answer is missing, and only advisory assertions scored them."""
    sides = ((case.base_pass_rate, case.base), (case.head_pass_rate, case.head))
    return any(answer is not None for _, answer in sides) and all(
        answer is None or is_advisory_only(rate, answer) for rate, answer in sides
    )
