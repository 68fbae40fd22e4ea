"""Compute before a run what the goldens can show, and what it costs to see more."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, Field

from promptci.app.requests import CheckRequest
from promptci.compare.case_power import Asking
from promptci.documents.document import Document
from promptci.evaluation import run
from promptci.evaluation.memory import run_memory
from promptci.gates.selftest import power_analysis, selftest_document, subject
from promptci.gates.selftest.power_analysis import PowerAnalysis
from promptci.git.repo import Repo
from promptci.memory import flaky
from promptci.pipeline.collection.collect_all import select_prompts
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.pipeline.plan import planning
from promptci.present import formatting
from promptci.providers.prices import PriceList
from promptci.runs.estimate import estimate_questions
from promptci.runs.prompt_plan import PromptPlan
from promptci.wording import join_names

ASSUMED = (0.0, 0.05, 0.10, 0.20)
"""Discordances shown for a prompt of which none was measured."""
SPREADS = (0.1, 0.2, 0.3)
"""Standard deviations of a case's difference in scores, likewise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerQuestion:
    """What is asked of `power`."""

    drop: float | None = None
    """Drop to be seen; None: `gate.max_drop`."""
    discordance: float | None = None
    """Assumed by the user; None: as `selftest` or earlier runs measured it, else several are shown."""
    prompts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerRow(PowerAnalysis):
    """What a check of one prompt will be able to see, and where the noise that this assumes comes from."""

    noise: str


class PromptPower(BaseModel):
    """What a check of one prompt will be able to see."""

    prompt: str
    cases: int = Field(description="Golden cases; with none, a check shows nothing.")
    graded: bool = Field(description="Whether cases have scores, of which `variance` is then in place of discordance.")
    drop: float = Field(description="Drop to be seen.")
    usd: float | None = Field(description="Price of a check at most; null: not known, or there are no cases.")
    analyses: list[PowerRow] = Field(description="One where the noise is known, else one for each that is assumed.")


class PowerDocument(Document):
    """How small a drop golden sets can show."""

    schema_: Literal["promptci/power/v1"] = Field(default="promptci/power/v1", alias="schema")
    prompts: list[PromptPower]


def power(request: CheckRequest, question: PowerQuestion, now: datetime) -> PowerDocument:
    """Return, for each prompt, the smallest drop its goldens show and what a smaller one would take.

    Raises
    ------
    InputError
        With every mistake in the files.
    UsageError
        Where there is no such prompt.
    """
    with closing(Repo.discover(request.root).snapshot(request.head)) as head:
        collected = select_prompts(run.collect_everything(head, request.config_path), question.prompts)
    measured = _load_measured_noise(collected, request, now)
    return PowerDocument(prompts=[_analyze_prompt(plan, question, measured, collected) for plan in collected.plans])


def _analyze_prompt(
    plan: PromptPlan, question: PowerQuestion, measured: dict[str, tuple[float, str]], collected: CollectedRun
) -> PromptPower:
    drop = collected.config.gate.for_prompt(plan.name).max_drop if question.drop is None else question.drop
    graded = _graded(plan)
    noise = _list_noise(plan, question, measured, graded=graded) if plan.task.cases else []
    price = _price(plan, collected) if plan.task.cases else None
    return PromptPower(
        prompt=plan.name,
        cases=len(plan.task.cases),
        graded=graded,
        drop=drop,
        usd=None if price is None else float(price),
        analyses=[
            PowerRow(**asdict(_analyze(plan, variance, collected, drop=drop, graded=graded)), noise=source)
            for variance, source in noise
        ],
    )


def power_lines(document: PowerDocument) -> Iterator[str]:
    """Yield what a person reads."""
    for prompt in document.prompts:
        if not prompt.cases:
            yield f"{prompt.prompt}: no golden cases, so a check shows nothing. `promptci doctor` names their file."
            continue
        yield f"{prompt.prompt}: {formatting.count(prompt.cases, 'case')}, {_describe_cost(prompt.usd)}"
        for analysis in prompt.analyses:
            yield from (f"  {line}" for line in describe_analysis(analysis, prompt.drop, prompt.usd))


def _graded(plan: PromptPlan) -> bool:
    return any(planned.case.is_graded for planned in plan.task.cases)


def _load_measured_noise(collected: CollectedRun, request: CheckRequest, now: datetime) -> dict[str, tuple[float, str]]:
    """Return the noise of each prompt of which it is known, and from where."""
    noise_by_prompt: dict[str, tuple[float, str]] = {}
    folder = collected.config.run.memory
    if folder is not None:
        past = run_memory.open_memory(request.root, folder, now).read()
        for plan in (plan for plan in collected.plans if not _graded(plan)):
            known = flaky.measure_discordance(past.cases, plan.name)
            if known is not None:
                noise_by_prompt[plan.name] = (known.rate, f"measured on {known.answers:,} answers of earlier runs")
    path = request.out / selftest_document.FILE
    subjects = {plan.name: subject.describe_subject(plan, collected) for plan in collected.plans}
    stale = selftest_document.find_stale_results(path, subjects)
    for name, variance in selftest_document.read_discordance(path).items():
        note = f" (stale: {join_names(stale[name])} changed since; run it again)" if name in stale else ""
        noise_by_prompt[name] = (variance, f"measured by selftest{note}")
    return noise_by_prompt


def _list_noise(
    plan: PromptPlan, question: PowerQuestion, measured: dict[str, tuple[float, str]], *, graded: bool
) -> Sequence[tuple[float, str]]:
    if question.discordance is not None:
        return [(question.discordance, f"assumed: {formatting.percent(question.discordance)}")]
    if plan.name in measured:
        return [measured[plan.name]]
    if graded:
        return [(sd**2, f"if scores differ by {formatting.points(sd)} from run to run") for sd in SPREADS]
    return [
        (share, f"if {formatting.percent(share) if share else 'none'} of the cases change their verdict by themselves")
        for share in ASSUMED
    ]


def _analyze(plan: PromptPlan, variance: float, collected: CollectedRun, *, drop: float, graded: bool) -> PowerAnalysis:
    return power_analysis.analyze_power(
        [planned.case for planned in plan.task.cases],
        variance,
        drop=drop,
        asking=Asking(repeats=collected.config.run.repeats, max_calls=collected.config.run.auto_calls),
        graded=graded,
        policy=collected.config.gate.for_prompt(plan.name),
    )


def _price(plan: PromptPlan, collected: CollectedRun) -> Decimal | None:
    """Return the price of asking both versions and their judges; None where it is unknown."""
    once = replace(collected, plans=(plan,))
    planned = planning.plan_run(once)
    asked = [
        estimate_questions(planned.questions, PriceList(collected.config.provider, collected.endpoints).price_usage),
        planning.estimate_judges(planned.prompts, once),
    ]
    total = Decimal(0)
    for estimate in asked:
        if estimate is not None:
            if estimate.usd is None or estimate.usd_is_lower_bound:
                return None
            total += estimate.usd
    return 2 * total


def describe_analysis(analysis: PowerRow, drop: float, price: float | None) -> list[str]:
    """Return one power analysis as lines."""
    seen = "none" if analysis.smallest_drop is None else formatting.points(analysis.smallest_drop)
    lines = [f"{analysis.noise}: smallest drop that blocks, with 80% power: {seen}"]
    if analysis.effective < analysis.cases:
        lines.append(f"  (the cases stand in clusters and are worth about {analysis.effective} independent ones)")
    if analysis.cases_for_drop > analysis.cases:
        further_cases = _describe_more_cases(analysis.cases_for_drop, analysis.cases, price)
        lines.append(f"  to show that {formatting.points(drop)} are a drop: {further_cases}")
    if analysis.cases_for_drop > analysis.cases and analysis.repeats_for_drop is not None:
        times = analysis.repeats_for_drop
        lines.append(
            f"    or each of these asked {times} times, {_money(None if price is None else price * times)} a check"
        )
    if analysis.cases_for_pass > analysis.cases:
        further_cases = _describe_more_cases(analysis.cases_for_pass, analysis.cases, price)
        lines.append(f"  to show “not worse by {formatting.points(drop)}” where nothing changed: {further_cases}")
    return lines


def _describe_more_cases(needed: int, cases: int, price: float | None) -> str:
    whole = None if price is None or not cases else price * needed / cases
    return f"{needed:,} cases ({needed - cases:,} more), {_money(whole)} a check"


def _describe_cost(amount: float | None) -> str:
    return "the price of a check is unknown" if amount is None else f"a check costs {_money(amount)}"


def _money(amount: float | None) -> str:
    return "price unknown" if amount is None else f"at most {formatting.money(amount)}"
