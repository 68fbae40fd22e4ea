"""The comparison as the change's own goldens would have it, to be shown beside the one that decides."""

from dataclasses import replace

from promptci.scoring.comparison import compare_cases
from promptci.scoring.prompt_run import PromptRun


def compare_by_head_goldens(run: PromptRun, *, alpha: float, margin: float) -> PromptRun | None:
    """Return the comparison over head's golden cases; None where they are base's, or where they decide anyway.

    New and edited cases were asked of both versions, though not as often as base's cases where these were repeated.
    """
    planned = run.plan.task.cases
    own = tuple(case for case in planned if case.kept or case.change != "same")
    is_edited = len(own) < len(planned) or any(case.change != "same" for case in own)
    if not is_edited or run.plan.change.base is None or run.plan.same_fingerprint:
        return None
    change = replace(run.plan.change, removed_cases=(), loosened_cases=())
    task = replace(run.plan.task, cases=tuple(replace(case, change="same", kept=True) for case in own))
    plan = replace(run.plan, change=change, task=task)
    ids = {case.case.id for case in own}
    cases = tuple(replace(case, change="same") for case in run.cases if case.case.id in ids)
    return compare_cases(replace(run, plan=plan), cases, alpha=alpha, margin=margin)
