"""What is asked again: cases on which the first answers of the versions disagree, and critical ones that flipped."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from promptci.config.run_limits import RunLimits
from promptci.runs.model import Arm, Plan, PlannedCase, PromptPlan, Question

Key = tuple[str, Arm, str, int]
"""Prompt, version, case and replicate: names a question."""
CONFIRMATION_ANSWERS = 3
"""Answers of each version after which a critical case's flip is taken for real or for chance."""


def prepare(plans: Iterable[PromptPlan], limits: RunLimits) -> tuple[PromptPlan, ...]:
    """Say in each plan which answers make the estimate, and whether cases that disagree are asked on.

    Only a comparison by pass and fail is: marks of two versions differ on nearly every case, a little.
    """
    return tuple(replace(plan, first_repeats=limits.repeats, adaptive=_adaptive(plan, limits)) for plan in plans)


def max_repeats(plan: PromptPlan, planned: PlannedCase, limits: RunLimits) -> int:
    """Give how often at most this case is asked of each version, all rounds together."""
    if not _compared(plan) or planned.change != "same" or planned.excluded_reason is not None:
        return limits.repeats
    confirmed = CONFIRMATION_ANSWERS if planned.case.critical else 0
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
        limits.repeats_on_disagreement is not None and _compared(plan) and not any(c.case.is_graded for c in plan.cases)
    )


def find_follow_ups(plan: Plan, outcomes: Mapping[Key, bool | None]) -> tuple[Question, ...]:
    """Return the questions to ask now, given whether each answer so far passed (None: missing), by its key.

    In an adaptive comparison these are of the cases that the versions passed a different number of times, else of the
    critical cases that base always passed and head did not. A case of which a first answer is missing is not asked
    again: that it differs may be due to what is missing.
    """
    if not plan.further:
        return ()
    first = {p.name: p.first_repeats for p in plan.prompts}
    passes: dict[tuple[str, str, Arm], list[bool | None]] = defaultdict(list)
    for (prompt, arm, case_id, replicate), passed in outcomes.items():
        if replicate < (first[prompt] or 1):
            passes[prompt, case_id, arm].append(passed)
    adaptive = {p.name for p in plan.prompts if p.adaptive}

    def disputed(question: Question) -> bool:
        base, head = (passes[(question.prompt, question.case_id, arm)] for arm in Arm)
        return needs_repeat(base, head, adaptive=question.prompt in adaptive)

    return tuple(q for q in plan.further if disputed(q))


def needs_repeat(base: Sequence[bool | None], head: Sequence[bool | None], *, adaptive: bool) -> bool:
    """Whether a case is asked on after these first answers; None stands for a missing one."""
    if not base or len(base) != len(head) or None in base or None in head:
        return False
    return base.count(True) != head.count(True) if adaptive else all(base) and not all(head)
