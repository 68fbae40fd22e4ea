"""The comparison as the change's own goldens would have it, to be shown beside the one that decides."""

from dataclasses import replace

from promptci.runs.prompt_plan import Arm
from promptci.scoring.comparison import (
    Comparison,
    measure,
    pair_samples,
    plan_design,
    worst_case_samples,
)
from promptci.scoring.version_summary import summarize_version


def compare_by_head_goldens(comparison: Comparison, *, alpha: float, margin: float) -> Comparison | None:
    """Return the comparison over head's golden cases; None where they are base's, or where they decide anyway.

    New and edited cases were asked of both versions, though not as often as base's cases where these were repeated.
    """
    planned = comparison.plan.task.cases
    own = tuple(case for case in planned if case.kept or case.change != "same")
    is_edited = len(own) < len(planned) or any(case.change != "same" for case in own)
    if not is_edited or comparison.plan.change.base is None or comparison.plan.same_fingerprint:
        return None
    change = replace(comparison.plan.change, removed_cases=(), loosened_cases=())
    task = replace(comparison.plan.task, cases=tuple(replace(case, change="same", kept=True) for case in own))
    plan = replace(comparison.plan, change=change, task=task)
    ids = {case.case.id for case in own}
    cases = tuple(replace(case, change="same") for case in comparison.cases if case.case.id in ids)
    design = plan_design(plan, cases, alpha=alpha, margin=margin)
    samples = pair_samples(cases, design, plan.name)
    base, head = (summarize_version(cases, arm, graded=design.graded) for arm in Arm)
    return replace(
        comparison,
        plan=plan,
        cases=cases,
        samples=samples,
        worst_case=worst_case_samples(cases, design, plan.name),
        effect=None if samples is None else measure(samples, plan),
        base=base,
        head=head,
    )
