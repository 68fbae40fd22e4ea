"""Set base against head: pair the scored cases, measure the difference, sum up each arm."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from statistics import fmean

from promptci.compare import quality
from promptci.compare.model import ArmSummary, Comparison, PairedCase
from promptci.runs.model import Arm, PromptPlan
from promptci.scoring.model import ScoredCase
from promptci.stats import agreement, intervals, percentiles


def compare(plan: PromptPlan, scored: Iterable[ScoredCase], *, alpha: float) -> Comparison:
    """Pair this prompt's scored cases and measure the difference.

    Parameters
    ----------
    plan
        The prompt, its cases and what the change did to each.
    scored
        Scored answers of this prompt, both arms, every replicate, in any order.
    alpha
        One-sided error rate; the interval is two-sided at 1 - 2 alpha, so that it and the test agree.
    """
    by_case: dict[str, list[ScoredCase]] = defaultdict(list)
    for one in scored:
        by_case[one.case.id].append(one)
    cases = tuple(
        PairedCase(
            case=planned.case,
            change=planned.change,
            aside=planned.excluded_reason or (None if planned.case.weight > 0 else "weight 0"),
            base=_ordered(found, Arm.BASE),
            head=_ordered(found, Arm.HEAD),
        )
        for planned in plan.cases
        for found in [by_case.pop(planned.case.id, ())]
    )
    counted = [case for case in cases if case.aside is None]
    pairs = [case for case in counted if case.change == "same" and case.complete]
    graded = quality.is_graded([case.case for case in counted])
    return Comparison(
        plan=plan,
        cases=cases,
        quality=quality.measure(pairs, plan, graded=graded, alpha=alpha) if pairs else None,
        base=None if plan.base is None else summarise(cases, Arm.BASE, graded=graded),
        head=None if plan.head is None else summarise(cases, Arm.HEAD, graded=graded),
    )


def _ordered(scored: Sequence[ScoredCase], arm: Arm) -> tuple[ScoredCase, ...]:
    return tuple(sorted((one for one in scored if one.arm is arm), key=lambda one: one.replicate))


def summarise(cases: Sequence[PairedCase], arm: Arm, *, graded: bool) -> ArmSummary | None:
    """Sum up one version over every case it was asked, compared or not; None when it was asked nothing.

    Cases that stand aside count for cost and latency only.
    """
    answers = [one for case in cases for one in case.arm(arm)]
    if not answers:
        return None
    counted = [case for case in cases if case.aside is None]
    evaluated = [one for one in answers if one.error is None]
    rates = [rate for case in counted if (rate := case.score(arm) if graded else case.pass_rate(arm)) is not None]
    completions = [one.answer.completion for one in answers if one.answer.completion is not None]
    counting = [one for case in counted for one in case.arm(arm) if one.error is None]
    labels = [mark.label for one in counting for mark in one.marks if mark.label is not None]
    return ArmSummary(
        asked=len(answers),
        evaluated=len(evaluated),
        quality=fmean(rates) if rates else None,
        # Replicates of one case are not independent draws: the interval counts cases, not answers.
        quality_interval=None if graded or not rates else intervals.wilson(round(sum(rates)), len(rates)),
        cost_per_request=_mean_cost([one.answer.cost_usd for one in answers if one.answer.completion is not None]),
        latency=percentiles.percentiles([c.latency_ms for c in completions if c.latency_ms is not None]),
        latency_fresh=sum(not one.answer.cached for one in answers if one.answer.completion is not None),
        labels=agreement.label_confusion(labels) if labels else None,
        models=tuple(sorted({c.model for c in completions if c.model})),
        fingerprints=tuple(sorted({c.fingerprint for c in completions if c.fingerprint})),
    )


def _mean_cost(costs: Sequence[Decimal | None]) -> Decimal | None:
    """Mean price; None as soon as one is unknown, because a sum without it would be too low."""
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) / len(known) if known and len(known) == len(costs) else None
