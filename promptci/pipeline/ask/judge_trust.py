"""Assess whether the judges of a run may block, before the answers that they will score are asked for."""

from collections.abc import Iterable
from dataclasses import replace

from promptci.runs.prompt_plan import Arm, PromptPlan
from promptci.scoring.judges import calibrate, judge, probes, trust
from promptci.scoring.judges.judge import JudgeConfig
from promptci.scoring.judges.trust import JudgeSummary, JudgeTrust
from promptci.scoring.model import JudgeIdentity, ScoredCase
from promptci.scoring.prompt_run import PromptRun


async def assess_judge(run: PromptRun, min_kappa: float, judge_config: JudgeConfig) -> JudgeTrust | None:
    """Have the judge of a prompt score the labelled answers, and return what it may do.

    None where no case of the prompt is scored by a judge.
    """
    judge_config = judge_config.for_prompt(run.name)
    identities = tuple(_identities(run.plan, judge_config.model, judge_config.rubric))
    if not identities:
        return None
    task = run.plan.task
    calibration = None if task.labelled is None else await calibrate.calibrate(task.labelled, judge_config)
    return trust.assess_trust(calibration, min_kappa, task.judge_distrust, identities)


def distrust_probed(run: PromptRun) -> JudgeTrust | None:
    """Return the trust after the probes: a judge that passes useless answers loses it.

    A judge without any result is not a matter of trust: its scores are missing, and the run is an error. They were
    without weight where the labels had shown no agreement, so they get back the weight that the goldens give them.
    """
    if run.trust is None:
        return None
    if _is_silent(run.scored):
        run.scored[:] = _restore_weights(run)
        return replace(run.trust, distrust_reasons=())
    reasons = [reason for outcome in run.probes if (reason := probes.distrust_reason(outcome)) is not None]
    return replace(run.trust, distrust_reasons=(*run.trust.distrust_reasons, *reasons))


def _restore_weights(run: PromptRun) -> list[ScoredCase]:
    """Return the scored answers with the weights of the plan's own assertions."""
    cases = {planned.case.id: planned.case for planned in run.plan.task.cases}
    return [
        replace(
            answer,
            case=cases[answer.case.id],
            results=tuple(
                replace(mark, weight=assertion.weight)
                # An answer without a completion has no results, or fewer than assertions.
                for mark, assertion in zip(answer.results, cases[answer.case.id].assertions, strict=False)
            ),
        )
        for answer in run.scored
    ]


def _is_silent(scored: Iterable[ScoredCase]) -> bool:
    """Return whether judges were asked about these answers and scored none of them."""
    judged = [mark for answer in scored for mark in answer.results if mark.type in judge.JUDGE_ASSERTIONS]
    return bool(judged) and all(mark.passed is None for mark in judged)


def summarize_judges(run: PromptRun) -> JudgeSummary | None:
    """Summarise the results of a prompt's judge, with weights as planned; None if nothing is judged."""
    if run.trust is None:
        return None
    cases = {planned.case.id: planned.case for planned in run.plan.task.cases}
    base, head = (trust.measure_judged_rate(cases, run.scored, arm, run.trust.calibration) for arm in Arm)
    models = {prompt.model for prompt in (run.plan.change.base, run.plan.change.head) if prompt is not None}
    judges = {identity.model for identity in run.trust.identities}
    return JudgeSummary(trust=run.trust, base=base, head=head, self_judging_models=tuple(sorted(models & judges)))


def _identities(plan: PromptPlan, model: str | None, rubric: str | None) -> Iterable[JudgeIdentity]:
    for planned in plan.task.cases:
        for place in judge.judged_positions(planned.case):
            identity = judge.identify_judge(planned.case.assertions[place], model=model, rubric=rubric)
            if identity is not None:
                yield identity
