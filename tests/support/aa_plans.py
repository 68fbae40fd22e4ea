"""Answers put to the gate against themselves: how a plan for it and its answers are made."""

from support.comparison_notation import prompt
from support.plans import prompt_plan

from promptci.goldens.model import Assertion, Case
from promptci.providers.base import Completion
from promptci.runs.model import Answer, AnswerError
from promptci.runs.prompt_plan import Arm, PlannedCase, PromptPlan, Status
from promptci.scoring.model import AssertionResult, ScoredCase


def planned(count: int, *, kind: str = "equals", critical: int = 0, aside: int = 0) -> PromptPlan:
    return prompt_plan(
        name="greeter",
        path="prompts/greeter.prompt.yml",
        status=Status.ADDED,
        base=None,
        head=prompt("hello"),
        cases=tuple(
            PlannedCase(
                case=Case(id=f"c{i}", path="g", critical=i < critical, assertions=(Assertion(type=kind, value="x"),)),
                change="new",
                excluded_reason="set aside" if i >= count - aside else None,
            )
            for i in range(count)
        ),
    )


def answer(plan: PromptPlan, index: int, replicate: int, score: float | None) -> ScoredCase:
    case = plan.task.cases[index].case
    marks = () if score is None else (AssertionResult(type="t", name="t", passed=score >= 0.5, score=score, reason=""),)
    return ScoredCase(
        case=case,
        arm=Arm.HEAD,
        replicate=replicate,
        answer=Answer(
            prompt=plan.name,
            arm=Arm.HEAD,
            case_id=case.id,
            replicate=replicate,
            request_key="k",
            completion=None if score is None else Completion(text=""),
            error=AnswerError(kind="server", message="HTTP 500") if score is None else None,
        ),
        results=marks,
    )
