"""Find out whether the judges of a run may block, before the answers are asked for that they will mark."""

from collections.abc import Iterable, Mapping, Sequence

from promptci.jobs.gather import Gathered
from promptci.runs.model import Arm, PromptPlan
from promptci.scoring import calibrate, judge, trust
from promptci.scoring.judge import JudgeDesk
from promptci.scoring.model import JudgeIdentity, ScoredCase
from promptci.scoring.trust import Judging, Trust


async def assess(plans: Iterable[PromptPlan], gathered: Gathered, desk: JudgeDesk) -> dict[str, Trust]:
    """Have the judge of each prompt mark the labelled answers; gives what it may do, by prompt's name.

    A prompt of which no case is marked by a judge in this run has no judge.
    """
    found = {}
    for plan in plans:
        identities = tuple(_identities(plan, desk.model, desk.rubric))
        if not identities:
            continue
        labelled = gathered.labelled.get(plan.name)
        found[plan.name] = trust.assess(
            None if labelled is None else await calibrate.calibrate(labelled, desk),
            gathered.config.judge.min_kappa,
            gathered.distrust.get(plan.name, ()),
            identities,
        )
    return found


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
