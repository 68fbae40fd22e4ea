"""Answers and cases in, scored cases out: code marks at once, judges are asked side by side."""

import asyncio
from collections.abc import Mapping, Sequence

from promptci.goldens.model import Assertion, Case
from promptci.runs.model import Answer
from promptci.scoring import judge
from promptci.scoring.assertions.base import Subject
from promptci.scoring.assertions.table import ASSERTIONS
from promptci.scoring.judge import JudgeDesk
from promptci.scoring.model import Mark, ScoredCase

CUT = " (the answer was cut at max_tokens)"


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
        Who answers `llm` and `judge` assertions; None leaves them unscored.
    """
    return tuple(
        await asyncio.gather(*(_mark_one(answer, cases[(answer.prompt, answer.case_id)], desk) for answer in answers))
    )


async def _mark_one(answer: Answer, case: Case, desk: JudgeDesk | None) -> ScoredCase:
    marks: tuple[Mark, ...] = ()
    if answer.completion is not None:
        subject = Subject(text=answer.completion.text, case=case, answer=answer)
        marks = tuple([await _mark(assertion, subject, desk) for assertion in case.assertions])
    return ScoredCase(case=case, arm=answer.arm, replicate=answer.replicate, answer=answer, marks=marks)


async def _mark(assertion: Assertion, subject: Subject, desk: JudgeDesk | None) -> Mark:
    if assertion.type not in ASSERTIONS:
        return await judge.mark(assertion, subject, desk)
    outcome = ASSERTIONS[assertion.type].mark(assertion, subject)
    completion = subject.answer.completion
    cut = completion is not None and completion.finish_reason == "length" and outcome.passed is False
    return Mark(
        type=assertion.type,
        name=assertion.name or assertion.type,
        passed=outcome.passed,
        score=outcome.score,
        reason=outcome.reason + (CUT if cut else ""),
        weight=assertion.weight,
        label=outcome.label,
    )
