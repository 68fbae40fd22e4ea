"""Answers and cases in, scored cases out: code marks at once, judges are asked side by side."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from promptci.goldens.model import Assertion, Case
from promptci.providers.base import Completion
from promptci.runs.model import Answer
from promptci.scoring import judge, pairwise, similar
from promptci.scoring.assertions.base import Subject
from promptci.scoring.assertions.table import ASSERTIONS
from promptci.scoring.judge import JudgeDesk
from promptci.scoring.model import Mark, ScoredCase
from promptci.scoring.pairwise import Place

WHY_SHORT = {
    "length": " (the answer was cut at max_tokens)",
    "content_filter": " (a content filter stopped the answer)",
}
"""By finish reason; follows the reason of a mark that failed."""


async def mark_all(
    answers: Sequence[Answer], cases: Mapping[tuple[str, str], Case], desk: JudgeDesk | None
) -> tuple[ScoredCase, ...]:
    """Mark every answer, in the order given.

    Parameters
    ----------
    answers
        One per question; an answer that is an error gets no marks and is missing data.
    cases
        By prompt's name and case's id, with their effective assertions.
    desk
        Who answers `llm`, `judge` and `similar` assertions; None leaves them unscored. For prompts that it judges in
        pairs, `answers` must hold those of both versions.
    """
    compared = await pairwise.compare_all(answers, cases, desk)
    return tuple(
        await asyncio.gather(
            *(_mark_one(answer, cases[(answer.prompt, answer.case_id)], desk, compared) for answer in answers)
        )
    )


async def _mark_one(answer: Answer, case: Case, desk: JudgeDesk | None, compared: Mapping[Place, Mark]) -> ScoredCase:
    marks: tuple[Mark, ...] = ()
    if answer.completion is not None:
        subject = Subject(text=answer.completion.text, case=case, answer=answer)
        found = await asyncio.gather(
            *(
                _mark(assertion, subject, desk, compared.get((answer.key, number)))
                for number, assertion in enumerate(case.assertions)
            )
        )
        short = _cut_short(answer.completion)
        marks = tuple(replace(one, reason=one.reason + short) if one.passed is False else one for one in found)
    return ScoredCase(case=case, arm=answer.arm, replicate=answer.replicate, answer=answer, marks=marks)


async def _mark(assertion: Assertion, subject: Subject, desk: JudgeDesk | None, compared: Mark | None) -> Mark:
    if compared is not None:
        return compared
    if assertion.type == similar.TYPE:
        return await similar.mark(assertion, subject, desk)
    if assertion.type not in ASSERTIONS:
        return await judge.mark(assertion, subject, desk)
    outcome = ASSERTIONS[assertion.type].mark(assertion, subject)
    return Mark(
        type=assertion.type,
        name=assertion.name or assertion.type,
        passed=outcome.passed,
        score=outcome.score,
        reason=outcome.reason,
        weight=assertion.weight,
        label=outcome.label,
    )


def _cut_short(completion: Completion) -> str:
    """Say why the answer is not what it might have been; it is marked all the same, for the model did that."""
    if completion.refusal:
        return " (the model refused to answer)"
    return WHY_SHORT.get(completion.finish_reason or "", "")
