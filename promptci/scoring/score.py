"""Score answers: assertions in code at once, judges concurrently."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from promptci.goldens.model import Assertion, Case
from promptci.providers.base import Completion
from promptci.runs.model import Answer, AnswerError
from promptci.scoring import embedding_similarity
from promptci.scoring.assertions import base
from promptci.scoring.assertions.assertion_timer import AssertionTimer
from promptci.scoring.assertions.base import CheckOutcome, Subject
from promptci.scoring.assertions.table import ASSERTIONS
from promptci.scoring.judges import judge, pairwise
from promptci.scoring.judges.judge import JudgeConfig
from promptci.scoring.judges.pairwise import ResultPosition
from promptci.scoring.model import AssertionResult, ScoredCase

TRUNCATION_NOTES = {
    "length": " (the answer was cut at max_tokens)",
    "content_filter": " (a content filter stopped the answer)",
}
"""By finish reason; appended to the reason of a result that failed."""
NEEDS_NO_TEXT = frozenset(("tool-calls", "latency", "cost"))
"""Assertions that do not look at the answer's text."""


async def score_answers(
    answers: Sequence[Answer],
    cases: Mapping[str, Case],
    judge_config: JudgeConfig | None,
    timer: AssertionTimer | None = None,
) -> tuple[ScoredCase, ...]:
    """Score every answer, in the order given.

    Parameters
    ----------
    answers
        One per question. An error is missing data, unless the request itself caused it: then every assertion failed.
    cases
        By case id, with their effective assertions.
    judge_config
        How `llm`, `judge` and `similar` assertions are answered; None leaves them unscored. For prompts that are judged
        pairwise, `answers` must hold those of both versions.
    timer
        Bounds the time of the assertions in code, over all calls with the same timer; None: over this call.
    """
    timer = timer or AssertionTimer()
    pairwise_results = await pairwise.compare_versions(answers, cases, judge_config)
    answered = [cases[answer.case_id] for answer in answers]
    # A task for each of 100,000 answers that need no judge would take longer than scoring them.
    judged = [
        position
        for position, (answer, case) in enumerate(zip(answers, answered, strict=True))
        if answer.completion is not None and _needs_model(case)
    ]
    judged_results = await asyncio.gather(
        *(_score_with_models(answers[i], answered[i], _Scorers(judge_config, timer), pairwise_results) for i in judged)
    )
    by_position = dict(zip(judged, judged_results, strict=True))
    return tuple(
        ScoredCase(
            case=case,
            arm=answer.arm,
            replicate=answer.replicate,
            answer=answer,
            results=by_position[position] if position in by_position else _score_in_code(answer, case, timer),
        )
        for position, (answer, case) in enumerate(zip(answers, answered, strict=True))
    )


def _needs_model(case: Case) -> bool:
    return any(assertion.type not in ASSERTIONS for assertion in case.assertions)


def _score_in_code(answer: Answer, case: Case, timer: AssertionTimer) -> tuple[AssertionResult, ...]:
    if answer.error is not None and answer.error.caused_by_request:
        return tuple(_fail_for_request(assertion, answer.error) for assertion in case.assertions)
    if answer.completion is None:
        return ()
    subject = Subject(text=answer.completion.text, case=case, answer=answer)
    return _note_truncation([_check(assertion, subject, timer) for assertion in case.assertions], answer.completion)


def _fail_for_request(assertion: Assertion, error: AnswerError) -> AssertionResult:
    """Return a failed result: the request of this prompt version cannot be answered, however often it is sent."""
    reason = f"the request itself makes the call fail ({error.kind}: {base.shorten(error.message)})"
    return base.make_result(assertion, CheckOutcome(passed=False, reason=reason))


class _Scorers(NamedTuple):
    """What scores the answers to a case that needs a judge."""

    judge_config: JudgeConfig | None
    timer: AssertionTimer


async def _score_with_models(
    answer: Answer,
    case: Case,
    scorers: _Scorers,
    pairwise_results: Mapping[ResultPosition, AssertionResult],
) -> tuple[AssertionResult, ...]:
    if answer.completion is None:
        return ()
    subject = Subject(text=answer.completion.text, case=case, answer=answer)

    async def score(number: int, assertion: Assertion) -> AssertionResult:
        if (known := pairwise_results.get((answer.key, number))) is not None:
            return known
        if (unanswered := _fail_for_tool_call(assertion, subject)) is not None:
            return unanswered
        if assertion.type == embedding_similarity.ASSERTION_TYPE:
            return await embedding_similarity.check(assertion, subject, scorers.judge_config)
        if assertion.type not in ASSERTIONS:
            named = scorers.judge_config
            return await judge.judge_answer(assertion, subject, named and named.for_prompt(answer.prompt))
        return _check(assertion, subject, scorers.timer)

    results = await asyncio.gather(*(score(number, assertion) for number, assertion in enumerate(case.assertions)))
    return _note_truncation(results, answer.completion)


def _check(assertion: Assertion, subject: Subject, timer: AssertionTimer) -> AssertionResult:
    if (unanswered := _fail_for_tool_call(assertion, subject)) is not None:
        return unanswered
    return _share(base.make_result(assertion, timer.check(assertion, subject)))


def _fail_for_tool_call(assertion: Assertion, subject: Subject) -> AssertionResult | None:
    """Return a failed result where the model called a tool and wrote no text, and a text is what is looked at."""
    completion = subject.answer.completion
    if completion is None or not completion.tool_calls or subject.text or assertion.type in NEEDS_NO_TEXT:
        return None
    reason = f"the model called the tool {base.quote(completion.tool_calls[0].name)} and wrote no answer"
    return base.make_result(assertion, CheckOutcome(passed=False, reason=reason))


@lru_cache(maxsize=4096)
def _share(result: AssertionResult) -> AssertionResult:
    """Return one object for all equal results: thousands of answers share a few."""
    return result


def _note_truncation(results: Sequence[AssertionResult], completion: Completion) -> tuple[AssertionResult, ...]:
    """Append to the reason of each failed result what cut the answer short."""
    note = _truncation_note(completion)
    return tuple(
        replace(result, reason=result.reason + note) if note and result.passed is False else result
        for result in results
    )


def _truncation_note(completion: Completion) -> str:
    """Return why the answer is incomplete. It is scored all the same: the model did that."""
    if completion.refusal:
        return " (the model refused to answer)"
    return TRUNCATION_NOTES.get(completion.finish_reason or "", "")
