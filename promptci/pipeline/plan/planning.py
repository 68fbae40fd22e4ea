"""Turn what was collected into questions, validate everything before money is spent, and estimate the cost."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from promptci.compare.error_budget import ErrorBudget
from promptci.errors import InputError, Problem
from promptci.files import canonical
from promptci.lazy_dataclass import dataclass
from promptci.pipeline.collection.collect import NOTHING_TO_TEST
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.pipeline.judge_question import judge_question
from promptci.pipeline.plan import explain_estimate, questions
from promptci.pipeline.plan.estimate_line import FREE, EstimateParts
from promptci.providers.prices import PriceList
from promptci.runs import adaptive_repeats
from promptci.runs.budget import BATCH_SHARE
from promptci.runs.estimate import Price, RunEstimate, describe_amount, describe_price, estimate_questions
from promptci.runs.model import Question
from promptci.runs.prompt_plan import PromptPlan, Status
from promptci.scoring import check_assertions, embedding_similarity
from promptci.scoring.judges import calibrate, cost_estimate, identity
from promptci.scoring.prompt_run import PromptRun
from promptci.wording import count


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """Everything that a run will ask, prompt by prompt."""

    prompts: tuple[PromptRun, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def questions(self) -> tuple[Question, ...]:
        """The first round's questions, in the order of asking: both versions of a case side by side."""
        return tuple(question for run in self.prompts for question in run.questions)

    @property
    def follow_ups(self) -> tuple[Question, ...]:
        """The questions that are asked only where the first answers call for it."""
        return tuple(question for run in self.prompts for question in run.follow_ups)

    @property
    def asks_in_rounds(self) -> bool:
        """Whether some prompt's cases are asked again as long as its verdict is open."""
        return any(len(run.plan.task.rounds) > 1 for run in self.prompts)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over all that may be asked: equal fingerprints are the same questions in the same order."""
        asked = (*self.questions, *self.follow_ups)
        return canonical.digest([[q.prompt, q.arm, q.case_id, q.replicate, q.request.key] for q in asked])


def plan_run(collected: CollectedRun) -> PlannedRun:
    """Plan the questions of every prompt.

    Raises
    ------
    InputError
        With every assertion that cannot be used and every variable that a case lacks.
    """
    runs: list[PromptRun] = []
    problems: list[Problem] = []
    notes: list[str] = []
    for plan in collected.plans:
        planned = _plan_prompt(plan, collected)
        runs.append(planned.run)
        problems += planned.problems
        notes += planned.notes
    cases = [planned_case.case for plan in collected.plans for planned_case in plan.task.cases]
    problems += check_assertions.find_problems(cases, collected.config.run.assertion_time_s)
    problems += embedding_similarity.find_missing_models(cases, collected.config.judge.embedding_model)
    if problems:
        raise InputError([*collected.problems, *problems])
    return PlannedRun(prompts=tuple(runs), notes=tuple(notes))


def plan_testable(collected: CollectedRun) -> tuple[CollectedRun, PlannedRun]:
    """Plan the prompts that can be asked; the mistakes of the others become problems of the run.

    Raises
    ------
    InputError
        With every mistake, where no prompt can be asked.
    """
    try:
        return collected, plan_run(collected)
    except InputError:
        mistakes = [find_mistakes(plan, collected) for plan in collected.plans]
        sound = tuple(plan for plan, plan_problems in zip(collected.plans, mistakes, strict=True) if not plan_problems)
        if not sound:
            raise
    problems = tuple(problem for plan_problems in mistakes for problem in plan_problems)
    testable = replace(collected, plans=sound, problems=(*collected.problems, *problems))
    return testable, plan_run(testable)


def find_mistakes(plan: PromptPlan, collected: CollectedRun) -> Sequence[Problem]:
    """Return what keeps one prompt from being asked: assertions that cannot be used, variables that a case lacks."""
    try:
        plan_run(replace(collected, plans=(plan,), problems=()))
    except InputError as error:
        return error.problems
    return ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _PlannedPrompt:
    run: PromptRun
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def _plan_prompt(plan: PromptPlan, collected: CollectedRun) -> _PlannedPrompt:
    limits, judge = collected.config.run, collected.judge_of(plan.name)
    judged_by = identity.describe_scorers(
        (planned.case for planned in plan.task.cases),
        model=judge.model,
        rubric=judge.rubric,
        embedding_model=collected.config.judge.embedding_model,
    )
    critical = sum(planned.case.critical for other in collected.plans for planned in other.task.cases)
    budget = ErrorBudget(alpha=collected.config.gate.alpha, critical_cases=critical)
    plan = replace(plan, task=replace(plan.task, judged_by=judged_by, confirmation_answers=budget.critical_answers))
    plan = adaptive_repeats.prepare(plan, limits)
    asked = questions.plan_questions(plan, lambda planned: adaptive_repeats.max_repeats(plan, planned, limits))
    not_adaptive = adaptive_repeats.note(plan, limits)
    return _PlannedPrompt(
        run=PromptRun(
            plan=plan,
            questions=tuple(question for question in asked.questions if question.replicate < limits.repeats),
            follow_ups=tuple(question for question in asked.questions if question.replicate >= limits.repeats),
        ),
        problems=asked.problems,
        notes=(*asked.notes, *([not_adaptive] if not_adaptive else [])),
    )


def describe(planned: PlannedRun, collected: CollectedRun, explain_calls: int | None = None) -> Sequence[str]:
    """Return what a run would ask and cost, in plain lines: the output of `--dry-run`.

    `explain_calls` may explain a failure; None: as configured.
    """
    if not planned.prompts:
        return [NOTHING_TO_TEST]
    price = _price_list(collected)
    total = estimate_first_questions(planned, collected)
    prompts = [_describe_plan(run.plan, collected) for run in planned.prompts]
    return [
        *prompts,
        f"prompts: {total.prompts}, cases: {total.cases}, repeats: {collected.config.run.repeats}",
        f"calls: {total.distinct_calls} ({total.calls} answers; equal requests are sent once)",
        *_describe_endpoints(planned, collected),
        f"tokens, estimated: {total.input_tokens} in, at most {total.output_tokens} out",
        f"price: {FREE if _is_free(collected) else describe_amount(total)} (cache hits not deducted)",
        *_batch_price(total, collected.config.run.batch),
        *_follow_up_price(planned, price),
        *_judge_price(planned, collected),
        *_explain_price(planned, collected, explain_calls),
    ]


def estimate_first_questions(planned: PlannedRun, collected: CollectedRun) -> RunEstimate:
    """Return what the first answers cost at most, without judges and without what is asked again."""
    return estimate_questions(planned.questions, _price_list(collected))


def describe_estimate(planned: PlannedRun, collected: CollectedRun, explain_calls: int | None = None) -> str:
    """Return one line on what a run is about to ask and may cost: first what is sure to be asked, then the most."""
    price = _price_list(collected)
    first = estimate_questions(planned.questions, price)
    further = estimate_questions(planned.follow_ups, price)
    explained = _estimate_explanation(planned, collected, explain_calls)
    parts = EstimateParts(
        asked=first,
        judged=estimate_judges(planned.prompts, collected),
        again=further,
        judged_again=estimate_judges(planned.prompts, collected, is_again=True),
        explained=explained,
    )
    endpoints = "".join(f"; {line}" for line in _describe_endpoints(planned, collected))
    return parts.describe(_when_asked_again(planned), is_free=_is_free(collected)) + endpoints


def _is_free(collected: CollectedRun) -> bool:
    """Return whether every model runs in this process and has no price of its own."""
    options = [collected.config.provider, *collected.endpoints.values()]
    return all(each.kind == "local" and not each.prices for each in options)


def _price_list(collected: CollectedRun) -> Price:
    return PriceList(collected.config.provider, collected.endpoints).price_usage


def _describe_endpoints(planned: PlannedRun, collected: CollectedRun) -> Sequence[str]:
    """Return one line on how many calls go to each endpoint, where the prompts have more than one."""
    if not collected.endpoints:
        return []
    calls = Counter(q.request.endpoint for q in {(q.request.key, q.replicate): q for q in planned.questions}.values())
    price = _price_list(collected)
    parts = []
    for name, number in sorted(calls.items()):
        options = collected.endpoints.get(name, collected.config.provider)
        own = tuple(question for question in planned.questions if question.request.endpoint == name)
        parts.append(f"{number} to {options.label}, {describe_price(estimate_questions(own, price))}")
    return [f"endpoints: {'; '.join(parts)}"]


def estimate_judges(
    runs: Sequence[PromptRun], collected: CollectedRun, *, is_again: bool = False
) -> RunEstimate | None:
    """RunEstimate what the judges of a run cost, probes and retries not counted; None where nothing is judged.

    `is_again`: of the answers that are asked for only where the first ones call for it.
    """
    requests = [
        request
        for run in runs
        for request in cost_estimate.judge_requests(
            run.cases_by_id, run.follow_ups if is_again else run.questions, **collected.judge_of(run.name)._asdict()
        )
    ]
    asked = tuple(judge_question(request) for request in requests)
    return estimate_questions(asked, _price_list(collected)) if asked else None


def describe_labels(collected: CollectedRun) -> Sequence[str]:
    """Return what measuring the judges by people's labels would ask and cost."""
    labelled = [answer for plan in collected.plans for answer in plan.task.labelled or ()]
    requests = [
        request
        for plan in collected.plans
        for request in calibrate.calibration_requests(
            plan.task.labelled or (), **collected.judge_of(plan.name)._asdict()
        )
    ]
    asked = tuple(judge_question(request) for request in requests)
    if not asked:
        return []
    total = estimate_questions(asked, _price_list(collected))
    answers = count(len(labelled), "labelled answer")
    return [f"{answers} for the judge: {total.distinct_calls} calls, {describe_price(total)}"]


def _judge_price(planned: PlannedRun, collected: CollectedRun) -> Sequence[str]:
    total, probes = estimate_judges(planned.prompts, collected), collected.config.judge.probes
    if total is None:
        return []
    probed = f", and {probes} probes for each judge" if probes else ""
    return [f"judges: {total.distinct_calls} calls, {describe_price(total)}{probed}"]


def _estimate_explanation(planned: PlannedRun, collected: CollectedRun, calls: int | None) -> RunEstimate | None:
    limit = collected.config.explain_calls if calls is None else calls
    return explain_estimate.estimate_explain(planned.prompts, collected, limit, _price_list(collected))


def _explain_price(planned: PlannedRun, collected: CollectedRun, calls: int | None) -> Sequence[str]:
    """Return one line on what explaining a failure may cost; none where nothing can be explained."""
    limit = collected.config.explain_calls if calls is None else calls
    most = _estimate_explanation(planned, collected, calls)
    if most is None:
        return []
    judged = f" and {most.calls - limit} judge calls" if most.calls > limit else ""
    return [f"and at most {limit} calls{judged} to explain a failure, {describe_price(most)}"]


def _batch_price(total: RunEstimate, batch: str) -> Sequence[str]:
    if batch == "never" or total.usd is None:
        return []
    when = "by batch" if batch == "always" else "by batch, at the event schedule"
    return [f"{when}: half of that, {describe_price(replace(total, usd=total.usd * BATCH_SHARE))}"]


def _follow_up_price(planned: PlannedRun, price: Price) -> Sequence[str]:
    follow_ups = planned.follow_ups
    if not follow_ups:
        return []
    total = estimate_questions(follow_ups, price)
    most = max(question.replicate for question in follow_ups) + 1
    calls = f"at most {total.distinct_calls} more calls, {describe_price(total)}"
    return [f"{_when_asked_again(planned)}, up to {most} times: {calls}"]


def _when_asked_again(planned: PlannedRun) -> str:
    return "while the verdict is open" if planned.asks_in_rounds else "where the versions disagree"


def _describe_plan(plan: PromptPlan, collected: CollectedRun) -> str:
    change = plan.change
    reasons = "" if change.status is Status.UNCHANGED else f"{change.status}, {', '.join(change.why)}; "
    where = f", asked at {collected.provider_of(change.head or change.base).label}" if collected.endpoints else ""
    return f"{change.name} ({change.path}): {reasons}{count(len(plan.task.cases), 'case')}{where}"
