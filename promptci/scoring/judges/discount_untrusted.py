"""Take the weight from what a judge says that is not trusted: it is asked and shown, and blocks nothing."""

from collections.abc import Iterable
from dataclasses import replace

from promptci.goldens.model import Case
from promptci.runs.prompt_plan import PlannedCase, PromptPlan
from promptci.scoring.judges.judge import JUDGE_ASSERTIONS
from promptci.scoring.judges.trust import JudgeTrust
from promptci.scoring.model import ScoredCase


def discount_plan(plan: PromptPlan, trust: JudgeTrust | None) -> PromptPlan:
    """Return the plan with every judged assertion of weight 0 where the prompt's judge is not trusted.

    A case of which nothing is left that counts is excluded. Doing it twice changes nothing.
    """
    if trust is None or trust.trusted:
        return plan
    reason = f"the judge is not trusted: {'; '.join(trust.distrust_reasons)}"
    return plan.with_cases(tuple(_discount_case(planned, reason) for planned in plan.task.cases))


def discount_scores(scored: Iterable[ScoredCase], trust: JudgeTrust | None) -> tuple[ScoredCase, ...]:
    """Return one prompt's scored answers with the judge's results of weight 0 where the judge is not trusted."""
    if trust is None or trust.trusted:
        return tuple(scored)
    return tuple(_discount_answer(scored_case) for scored_case in scored)


def _discount_case(planned: PlannedCase, reason: str) -> PlannedCase:
    case = _without_judge_weights(planned.case)
    counts = any(assertion.weight > 0 for assertion in case.assertions)
    return replace(
        planned, case=case, excluded_reason=planned.excluded_reason if counts else planned.excluded_reason or reason
    )


def _without_judge_weights(case: Case) -> Case:
    return replace(
        case, assertions=tuple(replace(a, weight=0.0) if a.type in JUDGE_ASSERTIONS else a for a in case.assertions)
    )


def _discount_answer(scored: ScoredCase) -> ScoredCase:
    marks = tuple(replace(mark, weight=0.0) if mark.type in JUDGE_ASSERTIONS else mark for mark in scored.results)
    return replace(scored, case=_without_judge_weights(scored.case), results=marks)
