"""The rule behind `repeats: auto`: whether a prompt's answers decide, or every case is asked as often again."""

from collections.abc import Sequence

from promptci.compare.error_budget import ErrorBudget
from promptci.compare.rounds import StoppingRule
from promptci.config.policy import About, GatePolicy
from promptci.pipeline.ask.rounds import RepeatRule
from promptci.runs.prompt_plan import Arm
from promptci.scoring.comparison import build_samples, pair_cases, plan_design
from promptci.scoring.paired_case import PairedCase
from promptci.scoring.prompt_run import PromptRun
from promptci.stats.estimates import intervals


def repeat_rule(policy: GatePolicy, prompts: int) -> RepeatRule:
    """Return the rule for a run that compares so many prompts."""
    return lambda run: next_answers(run.counted(), policy.for_prompt(run.name), prompts)


def next_answers(run: PromptRun, policy: GatePolicy, prompts: int) -> int | None:
    """Return the answers per case and version to have next; None where decided, or after the last round.

    Where answers fail far more often than is allowed, further rounds would be paid for and decide nothing.

    More answers to the same cases tell more about these cases, and hardly more about others: with `about: inputs` one
    round is all.
    """
    plan = run.plan
    further = [answers for answers in plan.task.rounds if answers > (plan.task.first_repeats or 1)]
    if not further or policy.about is About.INPUTS:
        return None
    cases = pair_cases(plan, run.scored)
    if _misses_too_many(cases, policy.max_error_rate):
        return None
    design = plan_design(plan, cases, alpha=policy.alpha, margin=policy.max_drop)
    samples, worst_case = build_samples(cases, design, plan.name)
    if samples is None:
        return None
    level = ErrorBudget(alpha=policy.alpha, prompts=prompts).quality_per_prompt
    rule = StoppingRule(margin=policy.max_drop, level=level)
    return None if rule.is_decided(samples, worst_case) else further[0]


def _misses_too_many(cases: Sequence[PairedCase], limit: float) -> bool:
    """Return whether the missing answers of a version show that its error rate is above the limit."""
    for arm in Arm:
        answers = [scored for case in cases for scored in case.answers(arm)]
        missing = sum(scored.error is not None and not scored.is_flipped for scored in answers)
        interval = intervals.wilson(missing, len(answers))
        if interval is not None and interval.lo > limit:
            return True
    return False
