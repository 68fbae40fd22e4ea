"""Answers and cases in, scored cases out: code marks at once, judges are asked side by side."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from promptci.goldens.model import Assertion, Case
from promptci.providers.base import Completion
from promptci.runs.model import Answer
from promptci.scoring import embedding_similarity
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import Subject
from promptci.scoring.assertions.table import ASSERTIONS
from promptci.scoring.judges import judge, pairwise
from promptci.scoring.judges.judge import JudgeConfig
from promptci.scoring.judges.pairwise import ResultPosition
from promptci.scoring.model import AssertionResult, ScoredCase

TRUNCATION_NOTES = {
    "length": " (the answer was cut at max_tokens)",
    "content_filter": " (a content filter stopped the answer)",
}
"""By finish reason; follows the reason of a mark that failed."""


async def score_answers(
    answers: Sequence[Answer], cases: Mapping[str, Case], desk: JudgeConfig | None
) -> tuple[ScoredCase, ...]:
    """Mark every answer of one prompt, in the order given.

    Parameters
    ----------
    answers
        One per question; an answer that is an error gets no marks and is missing data.
    cases
        The prompt's cases by id, with their effective assertions.
    desk
        Who answers `llm`, `judge` and `similar` assertions; None leaves them unscored. For prompts that it judges in
        pairs, `answers` must hold those of both versions.
    """
    compared = await pairwise.compare_versions(answers, cases, desk)
    found = [cases[answer.case_id] for answer in answers]
    # A task for each of 100,000 answers that nobody has to be asked about would take more than their marking.
    asked = [
        place for place, answer in enumerate(answers) if answer.completion is not None and _is_judged(found[place])
    ]
    judged = await asyncio.gather(*(_judged(answers[place], found[place], desk, compared) for place in asked))
    marks = dict(zip(asked, judged, strict=True))
    return tuple(
        ScoredCase(
            case=case,
            arm=answer.arm,
            replicate=answer.replicate,
            answer=answer,
            results=marks[place] if place in marks else _by_code(answer, case),
        )
        for place, (answer, case) in enumerate(zip(answers, found, strict=True))
    )


def _is_judged(case: Case) -> bool:
    return any(assertion.type not in ASSERTIONS for assertion in case.assertions)


def _by_code(answer: Answer, case: Case) -> tuple[AssertionResult, ...]:
    if answer.completion is None:
        return ()
    subject = Subject(text=answer.completion.text, case=case, answer=answer)
    return _with_circumstances([_mark(assertion, subject) for assertion in case.assertions], answer.completion)


async def _judged(
    answer: Answer, case: Case, desk: JudgeConfig | None, compared: Mapping[ResultPosition, AssertionResult]
) -> tuple[AssertionResult, ...]:
    if answer.completion is None:
        return ()
    subject = Subject(text=answer.completion.text, case=case, answer=answer)

    async def mark(number: int, assertion: Assertion) -> AssertionResult:
        if (known := compared.get((answer.key, number))) is not None:
            return known
        if assertion.type == embedding_similarity.ASSERTION_TYPE:
            return await embedding_similarity.check(assertion, subject, desk)
        if assertion.type not in ASSERTIONS:
            return await judge.judge_answer(assertion, subject, desk)
        return _mark(assertion, subject)

    found = await asyncio.gather(*(mark(number, assertion) for number, assertion in enumerate(case.assertions)))
    return _with_circumstances(found, answer.completion)


def _mark(assertion: Assertion, subject: Subject) -> AssertionResult:
    return _once(base.make_result(assertion, ASSERTIONS[assertion.type].check(assertion, subject)))


@lru_cache(maxsize=4096)
def _once(mark: AssertionResult) -> AssertionResult:
    """Give the mark that is kept for all that are equal: thousands of answers share a few."""
    return mark


def _with_circumstances(marks: Sequence[AssertionResult], completion: Completion) -> tuple[AssertionResult, ...]:
    """Add to the reason of each mark that failed what cut the answer short."""
    short = _cut_short(completion)
    return tuple(replace(one, reason=one.reason + short) if short and one.passed is False else one for one in marks)


def _cut_short(completion: Completion) -> str:
    """Say why the answer is not what it might have been; it is marked all the same, for the model did that."""
    if completion.refusal:
        return " (the model refused to answer)"
    return TRUNCATION_NOTES.get(completion.finish_reason or "", "")
