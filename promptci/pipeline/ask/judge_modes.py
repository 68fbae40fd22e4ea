"""Decide which prompts are judged in pairs, and note what was not tested about the judges."""

from collections.abc import Sequence

from promptci.config.model import JudgeOptions
from promptci.runs.prompt_plan import Arm, PromptPlan
from promptci.scoring.judges import prompt_injection
from promptci.scoring.model import ScoredCase
from promptci.scoring.prompt_run import PromptRun


def select_pairwise_prompts(runs: Sequence[PromptRun], options: JudgeOptions) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the prompts whose `judge` assertions compare both versions, and notes on those graded instead."""
    if not options.pairwise:
        return frozenset(), ()
    by_rubric = [run for run in runs if _by_rubric(run.plan)]
    pairs = frozenset(run.name for run in by_rubric if _has_both_versions(run))
    alone = [run.plan for run in by_rubric if run.name not in pairs]
    return pairs, tuple(f"{plan.name}: {_why_graded(plan)}" for plan in alone)


def _has_both_versions(run: PromptRun) -> bool:
    asked = {question.arm for question in run.questions}
    return not run.plan.same_fingerprint and all(arm in asked for arm in Arm)


def probe_notes(scored: Sequence[ScoredCase], options: JudgeOptions) -> Sequence[str]:
    """Return notes on judges that were not probed for prompt injection."""
    if options.probes or not any(prompt_injection.is_judged(scored_case.case) for scored_case in scored):
        return []
    return ["`judge.probes` is 0: whether the judges can be talked into a good mark was not tested."]


def _by_rubric(prompt: PromptPlan) -> bool:
    return any(assertion.type == "judge" for planned in prompt.task.cases for assertion in planned.case.assertions)


def _why_graded(prompt: PromptPlan) -> str:
    reason = "both versions ask the same" if prompt.same_fingerprint else "there is no other version to compare with"
    return f"{reason}, so its answers are graded by the rubric and not in pairs"
