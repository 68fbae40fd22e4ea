"""Find out whether the judges of a run may block, before the answers are asked for that they will mark."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from promptci.pipeline.collect import CollectedRun
from promptci.runs.model import Arm, PromptPlan
from promptci.scoring.judges import calibrate, judge, probes, trust
from promptci.scoring.judges.judge import JudgeDesk
from promptci.scoring.judges.probes import CanaryOutcome
from promptci.scoring.judges.trust import Judging, Trust
from promptci.scoring.model import JudgeIdentity, ScoredCase


async def assess(plans: Iterable[PromptPlan], gathered: CollectedRun, run_context: JudgeDesk) -> dict[str, Trust]:
    """Have the judge of each prompt mark the labelled answers; gives what it may do, by prompt's name.

    A prompt of which no case is marked by a judge in this run has no judge.
    """
    found = {}
    for plan in plans:
        identities = tuple(_identities(plan, run_context.model, run_context.rubric))
        if not identities:
            continue
        labelled = gathered.labelled_answers.get(plan.name)
        found[plan.name] = trust.assess(
            None if labelled is None else await calibrate.calibrate(labelled, run_context),
            gathered.config.judge.min_kappa,
            gathered.distrust_reasons.get(plan.name, ()),
            identities,
        )
    return found


def after(
    outcomes: Iterable[CanaryOutcome], scored: Sequence[ScoredCase], trusts: Mapping[str, Trust]
) -> dict[str, Trust]:
    """Take the trust from judges that let useless answers pass.

    A judge that says nothing at all is no matter of trust: what it leaves unscored is missing, and the run an error.
    """
    silent = _silent(scored)
    found = {name: replace(trust, distrust=()) if name in silent else trust for name, trust in trusts.items()}
    for outcome in outcomes:
        why = probes.distrust(outcome)
        for name in (one for one in outcome.prompts if why is not None and one not in silent):
            found[name] = replace(found[name], distrust=(*found[name].distrust, str(why)))
    return found


def _silent(scored: Sequence[ScoredCase]) -> set[str]:
    """Give the prompts whose judges gave no mark to any answer."""
    heard: dict[str, bool] = {}
    for one in scored:
        for mark in one.marks:
            if mark.type in judge.CHECKERS:
                name = one.answer.prompt
                heard[name] = heard.get(name, False) or mark.passed is not None
    return {name for name, any_mark in heard.items() if not any_mark}


def judging(
    plans: Iterable[PromptPlan], scored: Sequence[ScoredCase], trusts: Mapping[str, Trust]
) -> dict[str, Judging]:
    """Sum up what each prompt's judge said; `plans` as they were planned, every weight in its place."""
    found = {}
    for plan in plans:
        if plan.name not in trusts:
            continue
        given = trusts[plan.name]
        cases = {planned.case.id: planned.case for planned in plan.cases}
        own = [one for one in scored if one.answer.prompt == plan.name]
        base, head = (trust.judged_rate(cases, own, arm, given.calibration) for arm in Arm)
        models = {prompt.model for prompt in (plan.base, plan.head) if prompt is not None}
        judges = {identity.model for identity in given.identities}
        found[plan.name] = Judging(trust=given, base=base, head=head, candidates=tuple(sorted(models & judges)))
    return found


def _identities(plan: PromptPlan, model: str | None, rubric: str | None) -> Iterable[JudgeIdentity]:
    for planned in plan.cases:
        for place in judge.counting(planned.case):
            found = judge.identity(planned.case.assertions[place], model=model, rubric=rubric)
            if found is not None:
                yield found
