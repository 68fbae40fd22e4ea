"""Describe what a run would ask, in place of asking it."""

from promptci.app.requests import RunRequest, RunResult
from promptci.documents.run_plan import RunPlan
from promptci.pipeline.collection.collect import NOTHING_TO_TEST
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.pipeline.environment import Environment
from promptci.pipeline.plan import partition, planning
from promptci.pipeline.plan.planning import PlannedRun

NOTHING_COMPARED = "Nothing was compared: the last commit is the merge base itself. Try `--base HEAD~1`."


def describe_nothing(env: Environment, *, is_own_base: bool) -> RunResult:
    """Print that nothing would be asked, and return it for programs; `is_own_base`: nothing was compared either."""
    text = NOTHING_COMPARED if is_own_base else NOTHING_TO_TEST
    env.print(text)
    return RunResult(exit_code=0, plan=RunPlan(lines=[text]))


def describe_plan(planned: PlannedRun, collected: CollectedRun, request: RunRequest, env: Environment) -> RunResult:
    """Print what would be asked, and return it for programs."""
    explain_calls = request.explain_calls
    if request.shard is not None:  # its verdict is `promptci merge`'s, which explains nothing
        planned, explain_calls = partition.select_part(planned, request.shard), 0
    lines = [*planning.describe(planned, collected, explain_calls), *planning.describe_labels(collected)]
    for line in lines:
        env.print(line)
    total = planning.estimate_first_questions(planned, collected)
    plan = RunPlan(
        prompts=[run.name for run in planned.prompts],
        cases=total.cases,
        answers=total.calls,
        calls=total.distinct_calls,
        input_tokens=total.input_tokens,
        output_tokens=total.output_tokens,
        usd=None if total.usd is None else float(total.usd),
        usd_is_lower_bound=total.usd_is_lower_bound,
        lines=lines,
    )
    return RunResult(exit_code=0, plan=plan)
