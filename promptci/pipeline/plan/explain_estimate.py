"""Estimate what explaining a failed check may cost, before anything is asked."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby

from promptci.attribution.edits import split_change
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.providers.base import Usage
from promptci.runs.estimate import Price, RunEstimate, estimate_max_usage
from promptci.runs.model import Question
from promptci.runs.prompt_plan import PromptChange
from promptci.scoring.judges import cost_estimate
from promptci.scoring.prompt_run import PromptRun

UNASKABLE = frozenset({"recorded", "command"})
"""Kinds of providers that know both versions only: a file of answers, an application that reads its own prompt."""
MIN_CALLS = 12
"""With fewer calls for a prompt nothing can be shown."""


def can_be_explained(change: PromptChange, collected: CollectedRun) -> bool:
    """Return whether both versions of a prompt are known and its endpoint answers other versions, too."""
    if change.base is None or change.head is None:
        return False
    return collected.provider_of(change.head).kind not in UNASKABLE


def estimate_explain(
    runs: Sequence[PromptRun], collected: CollectedRun, limit: int, price: Price
) -> RunEstimate | None:
    """Return the most that `limit` answers, and the judges of them, may cost; None where nothing can be explained."""
    explainable = [run for run in runs if limit >= MIN_CALLS and _has_several_edits(run.plan.change, collected)]
    answers = [answer for run in explainable for answer in _dearest_answers(run, collected)]
    if not answers:
        return None
    costs = [[price(model, usage, endpoint) for model, endpoint, usage in answer] for answer in answers]
    known = [sum((cost for cost in answer if cost is not None), Decimal(0)) for answer in costs]
    is_known = [cost is not None for answer in costs for cost in answer]
    most_calls = max(map(len, answers))
    return RunEstimate(
        prompts=len(explainable),
        cases=len(answers),
        calls=limit * most_calls,
        distinct_calls=limit * most_calls,
        input_tokens=limit * max(sum(usage.input_tokens for _, _, usage in answer) for answer in answers),
        output_tokens=limit * max(sum(usage.output_tokens for _, _, usage in answer) for answer in answers),
        usd=limit * max(known) if any(is_known) else None,
        usd_is_lower_bound=not all(is_known),
    )


def _has_several_edits(change: PromptChange, collected: CollectedRun) -> bool:
    if change.base is None or change.head is None or not can_be_explained(change, collected):
        return False
    return len(split_change(change.base, change.head).edits) > 1


def _dearest_answers(run: PromptRun, collected: CollectedRun) -> Iterator[list[tuple[str, str, Usage]]]:
    """Yield the calls behind one answer to each case: model, endpoint and the most it may use, the judges' after it.

    A version with some of the edits has parts of both versions, so it is not longer than both together.
    """
    by_case = groupby(sorted(run.questions, key=lambda question: question.case_id), lambda question: question.case_id)
    for _, grouped in by_case:
        questions = list({question.arm: question for question in grouped}.values())
        usages = [estimate_max_usage(question.request) for question in questions]
        longest = Usage(
            input_tokens=sum(usage.input_tokens for usage in usages),
            output_tokens=max(usage.output_tokens for usage in usages),
        )
        for question in questions:
            request = question.request
            yield [(request.model, request.endpoint, longest), *_judge_calls(run, question, collected)]


def _judge_calls(run: PromptRun, question: Question, collected: CollectedRun) -> Iterator[tuple[str, str, Usage]]:
    judge = collected.judge_of(run.name)._asdict()
    for request in cost_estimate.judge_requests(run.cases_by_id, [question], **judge):
        yield request.model, request.endpoint, estimate_max_usage(request)
