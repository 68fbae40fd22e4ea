"""Adaptive repeats: which cases are worth asking again, because the first answers of the versions disagree."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from promptci.compare.quality import is_graded
from promptci.runs.model import Arm, Limits, Plan, PromptPlan, Question
from promptci.scoring.model import ScoredCase


def split(plan: Plan, limits: Limits) -> Plan:
    """Give the plan with the questions put off that are asked only where the versions disagree.

    `plan` holds every question up to `limits.disagree` replicates. Only a comparison by pass and fail is repeated so:
    marks of two versions differ on nearly every case, a little.
    """
    if limits.disagree is None:
        return plan
    repeated = {p.name for p in plan.prompts if _repeatable(p)}
    graded = [p.name for p in plan.prompts if p.name not in repeated and is_graded([c.case for c in p.cases])]
    same = {(p.name, c.case.id) for p in plan.prompts for c in p.cases if c.change == "same" and c.aside is None}
    return replace(
        plan,
        prompts=tuple(replace(p, first_repeats=limits.repeats) if p.name in repeated else p for p in plan.prompts),
        questions=tuple(q for q in plan.questions if q.replicate < limits.repeats),
        further=tuple(
            q
            for q in plan.questions
            if q.replicate >= limits.repeats and q.prompt in repeated and (q.prompt, q.case_id) in same
        ),
        repeats=limits.repeats,
        notes=(
            *plan.notes,
            *(
                f"{name}: quality is a mean of marks here, so no case is asked again where versions differ"
                for name in graded
            ),
        ),
    )


def _repeatable(plan: PromptPlan) -> bool:
    compared = plan.base is not None and plan.head is not None and not plan.same_fingerprint
    return compared and not is_graded([planned.case for planned in plan.cases])


def further(plan: Plan, scored: Sequence[ScoredCase]) -> tuple[Question, ...]:
    """Give the questions to be asked now: of cases that the versions passed a different number of times.

    A case of which a first answer is missing is not asked again: that it differs may be due to what is missing.
    """
    passes: dict[tuple[str, str, Arm], list[bool | None]] = defaultdict(list)
    for one in scored:
        passes[(one.answer.prompt, one.case.id, one.arm)].append(one.passed)

    def disputed(question: Question) -> bool:
        base, head = (passes[(question.prompt, question.case_id, arm)] for arm in Arm)
        whole = len(base) == len(head) and None not in base and None not in head
        return whole and base.count(True) != head.count(True)

    return tuple(q for q in plan.further if disputed(q))
