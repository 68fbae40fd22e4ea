"""What is asked again: cases on which the first answers of the versions disagree, and critical ones that flipped."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from promptci.compare.case_effect import plan_rounds
from promptci.config.run_limits import RunLimits
from promptci.runs.execute import QuestionKey
from promptci.runs.model import Question
from promptci.runs.prompt_plan import Arm, PlannedCase, PromptPlan


def prepare(plan: PromptPlan, limits: RunLimits) -> PromptPlan:
    """Set which answers make the estimate, and whether cases on which the versions disagree are asked again.

    Only a comparison by pass and fail is: the scores of two versions differ on nearly every case, a little.
    """
    rounds: tuple[int, ...] = ()
    if limits.auto_calls is not None and _compares_versions(plan):
        compared = sum(is_compared(planned) for planned in plan.task.cases)
        rounds = plan_rounds(compared, limits.auto_calls) if compared else ()
    task = replace(
        plan.task,
        first_repeats=limits.repeats,
        adaptive=_adaptive(plan, limits),
        rounds=rounds,
        max_calls=limits.auto_calls if rounds else None,
    )
    return replace(plan, task=task)


def is_compared(planned: PlannedCase) -> bool:
    """Return whether a case counts in the comparison of the versions."""
    return planned.change == "same" and planned.excluded_reason is None


def _remaining(plan: PromptPlan, candidates: Sequence[Question]) -> tuple[Question, ...]:
    """Return the questions that may still be asked again: after rounds, only those that confirm a critical case."""
    if not plan.task.rounds:
        return tuple(candidates)
    critical = {planned.case.id for planned in plan.task.cases if planned.case.critical and is_compared(planned)}
    first = plan.task.first_repeats or 1
    return tuple(
        q for q in candidates if q.case_id in critical and first <= q.replicate < plan.task.confirmation_answers
    )


def max_repeats(plan: PromptPlan, planned: PlannedCase, limits: RunLimits) -> int:
    """Return how often at most this case is asked of each version, all rounds together."""
    if not _compares_versions(plan) or not is_compared(planned):
        return limits.repeats
    confirmed = plan.task.confirmation_answers if planned.case.critical else 0
    on_disagreement = (limits.repeats_on_disagreement or 0) if plan.task.adaptive else 0
    return max(limits.repeats, confirmed, on_disagreement, *plan.task.rounds)


def note(plan: PromptPlan, limits: RunLimits) -> str | None:
    """Return why no case of this prompt is asked again although `on_disagreement` is set; None where it applies."""
    if limits.repeats_on_disagreement is None or plan.task.adaptive or not _compares_versions(plan):
        return None
    return f"{plan.name}: quality is a mean of marks here, so no case is asked again where versions differ"


def _compares_versions(plan: PromptPlan) -> bool:
    return plan.change.base is not None and plan.change.head is not None and not plan.same_fingerprint


def _adaptive(plan: PromptPlan, limits: RunLimits) -> bool:
    return (
        limits.repeats_on_disagreement is not None
        and _compares_versions(plan)
        and not any(c.case.is_graded for c in plan.task.cases)
    )


def find_follow_ups(
    plan: PromptPlan, candidates: Sequence[Question], outcomes: Mapping[QuestionKey, bool | None]
) -> tuple[Question, ...]:
    """Return those of `candidates` to ask now, given whether each answer so far passed (None: missing), by its key.

    In an adaptive comparison these are of the cases that the versions passed a different number of times, else of the
    critical cases that base always passed and head did not. A case of which a first answer is missing is not asked
    again, because that it differs may be due to what is missing; only a critical one that head never answered is.
    """
    candidates = _remaining(plan, candidates)
    if not candidates:
        return ()
    passes: dict[tuple[str, Arm], list[bool | None]] = defaultdict(list)
    for (_, arm, case_id, replicate), passed in outcomes.items():
        if replicate < (plan.task.first_repeats or 1):
            passes[case_id, arm].append(passed)

    critical = {planned.case.id for planned in plan.task.cases if planned.case.critical}

    def disputed(question: Question) -> bool:
        base, head = (passes[(question.case_id, arm)] for arm in Arm)
        is_lost = question.case_id in critical and is_never_answered(base, head)
        return is_lost or needs_repeat(base, head, adaptive=plan.task.adaptive)

    return tuple(question for question in candidates if disputed(question))


def is_never_answered(base: Sequence[bool | None], head: Sequence[bool | None]) -> bool:
    """Return whether base passed every time, and head was asked as often and never answered."""
    return bool(head) and len(base) == len(head) and all(base) and head.count(None) == len(head)


def needs_repeat(base: Sequence[bool | None], head: Sequence[bool | None], *, adaptive: bool) -> bool:
    """Whether a case is asked on after these first answers; None stands for a missing one."""
    if not base or len(base) != len(head) or None in base or None in head:
        return False
    return base.count(True) != head.count(True) if adaptive else all(base) and not all(head)
