"""What is done to find out whether the judges of a run can be trusted: who is judged in pairs, and what to say."""

from collections.abc import Sequence

from promptci.config.model import JudgeOptions
from promptci.runs.model import Arm, Plan, PromptPlan
from promptci.scoring.judges import prompt_injection
from promptci.scoring.model import ScoredCase


def in_pairs(plan: Plan, options: JudgeOptions) -> tuple[frozenset[str], tuple[str, ...]]:
    """Give the prompts whose `judge` assertions compare both versions, and a note on those that are graded instead."""
    if not options.pairwise:
        return frozenset(), ()
    asked = {(question.prompt, question.arm) for question in plan.questions}
    rubric = [prompt for prompt in plan.prompts if _by_rubric(prompt)]
    pairs = frozenset(
        prompt.name
        for prompt in rubric
        if not prompt.same_fingerprint and all((prompt.name, arm) in asked for arm in Arm)
    )
    alone = [prompt for prompt in rubric if prompt.name not in pairs]
    return pairs, tuple(f"{prompt.name}: {_why_graded(prompt)}" for prompt in alone)


def notes(scored: Sequence[ScoredCase], options: JudgeOptions) -> Sequence[str]:
    """Say where nobody tried to find out whether the judges can be talked into a good mark."""
    if options.probes or not any(prompt_injection.judged(one.case) for one in scored):
        return []
    return ["`judge.canaries` is 0: whether the judges can be talked into a good mark was not tested."]


def _by_rubric(prompt: PromptPlan) -> bool:
    return any(assertion.type == "judge" for planned in prompt.cases for assertion in planned.case.assertions)


def _why_graded(prompt: PromptPlan) -> str:
    why = "both versions ask the same" if prompt.same_fingerprint else "there is no other version to compare with"
    return f"{why}, so its answers are graded by the rubric and not in pairs"
