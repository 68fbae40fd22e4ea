"""Turn what was gathered into the questions of a run, check everything before money is spent, and say what it costs."""

from collections.abc import Sequence
from dataclasses import replace

from promptci.errors import InputError
from promptci.pipeline import questions as plans
from promptci.pipeline.collect import CollectedRun
from promptci.pipeline.judge_client import judges_question
from promptci.providers.options import ProviderOptions
from promptci.providers.prices import PriceList
from promptci.runs import adaptive_repeats
from promptci.runs.budget import BATCH_SHARE
from promptci.runs.estimate import RunEstimate, estimate_run
from promptci.runs.model import Plan, PromptPlan
from promptci.scoring import check_assertions, embedding_similarity
from promptci.scoring.judges import calibrate, cost_estimate, identity


def make(gathered: CollectedRun) -> Plan:
    """Make the plan.

    Raises
    ------
    InputError
        With every assertion that cannot be used and every variable that a case lacks.
    """
    limits = gathered.config.run
    prompts = adaptive_repeats.prepare(_judged(gathered), limits)
    questions, missing, notes = plans.questions(
        prompts, lambda plan, case: adaptive_repeats.max_repeats(plan, case, limits)
    )
    cases = [planned.case for plan in gathered.plans for planned in plan.cases]
    unusable = [
        *check_assertions.problems(cases),
        *embedding_similarity.without_model(cases, gathered.config.judge.embedding_model),
    ]
    if problems := [*missing, *unusable]:
        raise InputError(problems)
    whole = Plan(prompts=prompts, questions=questions, repeats=limits.repeats, notes=notes)
    return adaptive_repeats.split(whole, limits)


def _judged(gathered: CollectedRun) -> tuple[PromptPlan, ...]:
    """Note with each prompt who will mark its answers."""
    judge = gathered.config.judge
    return tuple(
        replace(
            plan,
            judged_by=identity.of(
                (planned.case for planned in plan.cases),
                model=judge.model,
                rubric=gathered.rubric,
                embedding_model=judge.embedding_model,
            ),
        )
        for plan in gathered.plans
    )


def describe(plan: Plan, gathered: CollectedRun) -> Sequence[str]:
    """Say what a run would ask and cost, in plain lines: what `--dry-run` prints."""
    options = gathered.config.provider
    found = estimate_run(plan, PriceList(options).price_usage)
    lines = [
        f"{prompt.name} ({prompt.path}): {prompt.status}, {', '.join(prompt.why)}; {len(prompt.cases)} cases"
        for prompt in plan.prompts
    ]
    if not plan.prompts:
        return ["Nothing that can change an answer was touched: no case would be run."]
    return [
        *lines,
        f"prompts: {found.prompts}, cases: {found.cases}, repeats: {plan.repeats}",
        f"calls: {found.distinct_calls} ({found.calls} answers; equal questions are asked once)",
        f"tokens, estimated: {found.input_tokens} in, at most {found.output_tokens} out",
        f"price: {_price(found)}, answers in the cache not taken off",
        *_by_batch(found, gathered.config.run.batch),
        *_further(plan, options),
        *_judges(plan, gathered),
    ]


def expected(plan: Plan, gathered: CollectedRun) -> str:
    """Say in one line what a run is about to ask and may cost."""
    found = estimate_run(plan, PriceList(gathered.config.provider).price_usage)
    judged = judges(plan, gathered)
    more = f", and {judged.distinct_calls} to judges, {_price(judged)}" if judged is not None else ""
    return f"expected: {found.distinct_calls} calls, {_price(found)}{more}; answers in the cache not taken off"


def judges(plan: Plan, gathered: CollectedRun) -> RunEstimate | None:
    """RunEstimate what the judges of a run cost, canaries and retries not counted; None: nobody judges."""
    asked = cost_estimate.requests(plan, model=gathered.config.judge.model, rubric=gathered.rubric)
    questions = tuple(judges_question(request) for request in asked)
    return (
        estimate_run(Plan(questions=questions), PriceList(gathered.config.provider).price_usage) if questions else None
    )


def _judges(plan: Plan, gathered: CollectedRun) -> Sequence[str]:
    found, canaries = judges(plan, gathered), gathered.config.judge.probes
    if found is None:
        return []
    more = f", and {canaries} canaries for each judge" if canaries else ""
    return [f"judges: {found.distinct_calls} calls, {_price(found)}{more}"]


def describe_labels(gathered: CollectedRun) -> Sequence[str]:
    """Say what measuring the judges by people's labels would ask and cost."""
    options = gathered.config.judge
    labelled = [one for answers in gathered.labelled_answers.values() for one in answers]
    asked = calibrate.requests(labelled, model=options.model, rubric=gathered.rubric)
    questions = tuple(judges_question(request) for request in asked)
    if not questions:
        return []
    found = estimate_run(Plan(questions=questions), PriceList(gathered.config.provider).price_usage)
    count = "1 labelled answer" if len(labelled) == 1 else f"{len(labelled)} labelled answers"
    return [f"{count} for the judge: {found.distinct_calls} calls, {_price(found)}"]


def _price(found: RunEstimate) -> str:
    if found.usd is None:
        return "price unknown"
    return (
        f"at least ${found.usd:.4f} (some price is unknown)"
        if found.usd_is_lower_bound
        else f"at most ${found.usd:.4f}"
    )


def _by_batch(found: RunEstimate, wanted: str) -> Sequence[str]:
    """Say what a Batch API takes off."""
    if wanted == "never" or found.usd is None:
        return []
    when = "by batch" if wanted == "always" else "by batch, at the event schedule"
    return [f"{when}: half of that, {_price(replace(found, usd=found.usd * BATCH_SHARE))}"]


def _further(plan: Plan, options: ProviderOptions) -> Sequence[str]:
    """Say what adaptive repeats may add."""
    if not plan.further:
        return []
    found = estimate_run(replace(plan, questions=plan.further), PriceList(options).price_usage)
    most = max(question.replicate for question in plan.further) + 1
    return [
        f"where the versions disagree, up to {most} times: {found.distinct_calls} calls more at most, {_price(found)}"
    ]
