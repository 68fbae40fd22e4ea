"""Turn what was gathered into the questions of a run, check everything before money is spent, and say what it costs."""

from collections.abc import Sequence

from promptci.errors import InputError
from promptci.jobs.gather import Gathered
from promptci.providers.options import Options
from promptci.providers.prices import PriceList
from promptci.runs import plan as plans
from promptci.runs.estimate import estimate
from promptci.runs.model import Plan
from promptci.scoring import check_assertions


def make(gathered: Gathered) -> Plan:
    """Make the plan.

    Raises
    ------
    InputError
        With every assertion that cannot be used and every variable that a case lacks.
    """
    repeats = gathered.config.run.repeats
    questions, missing, notes = plans.questions(gathered.plans, repeats)
    unusable = check_assertions.problems(planned.case for plan in gathered.plans for planned in plan.cases)
    if problems := [*missing, *unusable]:
        raise InputError(problems)
    return Plan(prompts=gathered.plans, questions=questions, repeats=repeats, notes=notes)


def describe(plan: Plan, options: Options) -> Sequence[str]:
    """Say what a run would ask and cost, in plain lines: what `--dry-run` prints."""
    found = estimate(plan, PriceList(options).price)
    lines = [
        f"{prompt.name} ({prompt.path}): {prompt.status}, {', '.join(prompt.why)}; {len(prompt.cases)} cases"
        for prompt in plan.prompts
    ]
    if not plan.prompts:
        return ["Nothing that can change an answer was touched: no case would be run."]
    price = "price unknown" if found.usd is None else f"at most ${found.usd:.4f}"
    if found.usd is not None and found.usd_is_lower_bound:
        price = f"at least ${found.usd:.4f} (some price is unknown)"
    return [
        *lines,
        f"prompts: {found.prompts}, cases: {found.cases}, repeats: {plan.repeats}",
        f"calls: {found.distinct_calls} ({found.calls} answers; equal questions are asked once), judges not counted",
        f"tokens, estimated: {found.input_tokens} in, at most {found.output_tokens} out",
        f"price: {price}, answers in the cache not taken off",
    ]
