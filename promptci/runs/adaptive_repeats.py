"""What is asked again: cases on which the first answers of the versions disagree, and critical ones that flipped."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from promptci.compare.quality import is_graded
from promptci.config.run_limits import RunLimits
from promptci.runs.model import Arm, Plan, PlannedCase, PromptPlan, Question
from promptci.scoring.model import ScoredCase

CONFIRMED = 3
"""Answers of each version after which a critical case's flip is taken for real or for chance."""


def prepare(plans: Iterable[PromptPlan], limits: RunLimits) -> tuple[PromptPlan, ...]:
    """Say in each plan which answers make the estimate, and whether cases that disagree are asked on.

    Only a comparison by pass and fail is: marks of two versions differ on nearly every case, a little.
    """
    return tuple(replace(plan, first_repeats=limits.repeats, adaptive=_adaptive(plan, limits)) for plan in plans)


def until(plan: PromptPlan, planned: PlannedCase, limits: RunLimits) -> int:
    """Give how often at most this case is asked of each version, all rounds together."""
    if not _compared(plan) or planned.change != "same" or planned.excluded_reason is not None:
        return limits.repeats
    confirmed = CONFIRMED if planned.case.critical else 0
    return max(limits.repeats, confirmed, (limits.repeats_on_disagreement or 0) if plan.adaptive else 0)


def split(plan: Plan, limits: RunLimits) -> Plan:
    """Give the plan with the questions put off that are asked only where the first answers call for it."""
    graded = [
        p.name for p in plan.prompts if limits.repeats_on_disagreement is not None and _compared(p) and not p.adaptive
    ]
    return replace(
        plan,
        questions=tuple(q for q in plan.questions if q.replicate < limits.repeats),
        further=tuple(q for q in plan.questions if q.replicate >= limits.repeats),
        repeats=limits.repeats,
        notes=(
            *plan.notes,
            *(
                f"{name}: quality is a mean of marks here, so no case is asked again where versions differ"
                for name in graded
            ),
        ),
    )


def _compared(plan: PromptPlan) -> bool:
    return plan.base is not None and plan.head is not None and not plan.same_fingerprint


def _adaptive(plan: PromptPlan, limits: RunLimits) -> bool:
    return (
        limits.repeats_on_disagreement is not None and _compared(plan) and not is_graded([c.case for c in plan.cases])
    )


def further(plan: Plan, scored: Sequence[ScoredCase]) -> tuple[Question, ...]:
    """Give the questions to be asked now.

    In an adaptive comparison these are of the cases that the versions passed a different number of times, else of the
    critical cases that base always passed and head did not. A case of which a first answer is missing is not asked
    again: that it differs may be due to what is missing.
    """
    if not plan.further:
        return ()
    first = {p.name: p.first_repeats for p in plan.prompts}
    passes: dict[tuple[str, str, Arm], list[bool | None]] = defaultdict(list)
    for one in scored:
        if one.replicate < (first[one.answer.prompt] or 1):
            passes[(one.answer.prompt, one.case.id, one.arm)].append(one.passed)
    adaptive = {p.name for p in plan.prompts if p.adaptive}

    def disputed(question: Question) -> bool:
        base, head = (passes[(question.prompt, question.case_id, arm)] for arm in Arm)
        return asks_on(base, head, adaptive=question.prompt in adaptive)

    return tuple(q for q in plan.further if disputed(q))


def asks_on(base: Sequence[bool | None], head: Sequence[bool | None], *, adaptive: bool) -> bool:
    """Whether a case is asked on after these first answers; None stands for a missing one."""
    if not base or len(base) != len(head) or None in base or None in head:
        return False
    return base.count(True) != head.count(True) if adaptive else all(base) and not all(head)
