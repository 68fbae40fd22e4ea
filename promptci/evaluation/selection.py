"""Select the prompts and cases that `--prompt` and `--case` name; what is left cannot pass."""

from dataclasses import replace
from fnmatch import fnmatchcase

from promptci.app.requests import CheckRequest, RunRequest
from promptci.errors import UsageError
from promptci.findings import FilteredRun
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.runs.prompt_plan import PromptPlan
from promptci.wording import join_names, suggest


def select(collected: CollectedRun, request: RunRequest) -> CollectedRun:
    """Return the run with the requested prompts and cases alone.

    Raises
    ------
    UsageError
        Where a name or pattern matches nothing, so that a typing error is no empty run.
    """
    if request.shard is not None:
        raise UsageError("--shard splits a whole run", "Leave out --prompt and --case.")
    known = [plan.name for plan in collected.plans]
    for name in request.prompts:
        if name not in known:
            unchanged = "`promptci run --prompt NAME` tests a prompt that did not change."
            fix = suggest(name, known) or (unchanged if isinstance(request, CheckRequest) else "")
            raise UsageError(f"No prompt `{name}` is to be tested; these are: {join_names(known) or 'none'}", fix)
    plans = [plan for plan in collected.plans if not request.prompts or plan.name in request.prompts]
    for pattern in request.cases:
        if not any(fnmatchcase(planned.case.id, pattern) for plan in plans for planned in plan.task.cases):
            ids = [planned.case.id for plan in plans for planned in plan.task.cases]
            listed = f"There are: {join_names(ids, 5)}." if ids else "No golden case is to be asked."
            fix = suggest(pattern, ids) or listed
            raise UsageError(f"No case matches `{pattern}`", fix)
    # A named prompt without a golden case stays: that nothing was asked is for the gate to judge, and is not green.
    selected = [
        plan
        for plan in (_select_cases(plan, request.cases) for plan in plans)
        if plan.task.cases or (plan.name in request.prompts and not request.cases)
    ]
    filters = [f"--prompt {name}" for name in request.prompts] + [f"--case {pattern}" for pattern in request.cases]
    facts = FilteredRun(filters=tuple(filters), cases=_count_cases(selected), all_cases=_count_cases(collected.plans))
    return replace(collected, plans=tuple(selected), filtered=facts)


def _select_cases(plan: PromptPlan, patterns: tuple[str, ...]) -> PromptPlan:
    if not patterns:
        return plan
    cases = plan.task.cases
    return plan.with_cases(tuple(c for c in cases if any(fnmatchcase(c.case.id, pattern) for pattern in patterns)))


def _count_cases(plans: list[PromptPlan] | tuple[PromptPlan, ...]) -> int:
    return sum(len(plan.task.cases) for plan in plans)
