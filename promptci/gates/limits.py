"""Hard limits and findings beside the quality test: errors, critical cases, absolute quality, cost, p95, goldens."""

from collections.abc import Sequence

from promptci.config.policy import GatePolicy
from promptci.gates.model import Reason
from promptci.runs.model import Arm, Status
from promptci.scoring import comparability
from promptci.scoring.comparison import Comparison
from promptci.scoring.judges import pairwise, prompt_injection
from promptci.verdict import Verdict


def too_little_evaluated(comparison: Comparison, policy: GatePolicy) -> Reason | None:
    """Find out whether so many answers are missing that nothing can be concluded."""
    evaluated = comparison.answers_requested - comparison.errors
    first = next((s.error for c in comparison.cases for s in (*c.base, *c.head) if s.error is not None), None)
    cause = f" First error: {first}" if first else ""
    if evaluated == 0 or comparison.head is None or comparison.head.evaluated == 0:
        return Reason(
            rule="nothing-evaluated",
            verdict=Verdict.ERROR,
            text="No answer of the new version could be evaluated"
            f" ({comparison.errors:,} of {comparison.answers_requested:,} failed).{cause}",
        )
    if comparison.errors / comparison.answers_requested > policy.max_error_rate:
        return Reason(
            rule="error-rate",
            verdict=Verdict.ERROR,
            text=f"{comparison.errors:,} of {comparison.answers_requested:,} answers are missing, more than the"
            f" {policy.max_error_rate:.0%} that `gate.max_error_rate` allows.{cause}",
        )
    return None


def all_aside(comparison: Comparison) -> Reason | None:
    """Say when every case stands aside, so that nothing is left to decide by."""
    whys = sorted({case.excluded_reason for case in comparison.cases if case.excluded_reason is not None})
    if not whys or len(comparison.excluded) < len(comparison.cases):
        return None
    text = f"None of the {len(comparison.cases)} cases decides anything: {'; '.join(whys)}."
    return Reason(rule="all-aside", verdict=Verdict.INCONCLUSIVE, text=text)


def aside(comparison: Comparison) -> Sequence[Reason]:
    """Name the cases that were asked and decide nothing; where none decides, `all_aside` has said so."""
    if len(comparison.excluded) == len(comparison.cases):
        return []
    by_why: dict[str, list[str]] = {}
    for case in comparison.excluded:
        by_why.setdefault(case.excluded_reason or "", []).append(case.case.id)
    return [
        _remark("aside", f"{len(ids)} of {len(comparison.cases)} cases decide nothing ({why}): {_listed(ids)}.")
        for why, ids in by_why.items()
    ]


def critical(comparison: Comparison) -> Sequence[Reason]:
    """Find critical cases that broke, or that a new prompt fails."""
    broken = [c.case.id for c in comparison.compared if c.critical_broke]
    if comparison.plan.status is Status.ADDED:
        broken = [c.case.id for c in comparison.cases if c.counts_as_critical and c.pass_rate(Arm.HEAD) == 0.0]
    if not broken:
        return []
    several = len(broken) > 1
    what = "fail" if comparison.plan.status is Status.ADDED else "broke"
    noun = "critical cases" if several else "critical case"
    return [
        Reason(
            rule="critical",
            verdict=Verdict.FAIL,
            text=f"{len(broken)} {noun} {what if several or what == 'broke' else 'fails'}: {', '.join(broken)}.",
        )
    ]


def min_quality(comparison: Comparison, policy: GatePolicy) -> Sequence[Reason]:
    """Check the absolute limit on head's quality over all of its cases, new and changed ones included."""
    head = comparison.head
    if policy.min_quality is None or head is None or head.quality is None:
        return []
    if pairwise.has_pairwise_results(one for case in comparison.cases for one in case.head):
        text = "Quality is the share of comparisons won here, so `gate.min_quality` was not checked."
        return [_remark("min-quality", text)]
    if head.quality >= policy.min_quality:
        return []
    return [
        Reason(
            rule="min-quality",
            verdict=Verdict.FAIL,
            text=f"Quality is {head.quality:.1%} over all cases; `gate.min_quality` asks for {policy.min_quality:.1%}.",
        )
    ]


def cost(comparison: Comparison, policy: GatePolicy) -> Sequence[Reason]:
    """Check the limit on the rise of cost per request."""
    base, head = comparison.base, comparison.head
    if policy.max_cost_increase is None or base is None or head is None:
        return []
    if base.cost_per_request is None or head.cost_per_request is None:
        return [_remark("cost", "Cost is unknown (no price for the model), so its limit was not checked.")]
    if base.cost_per_request == 0:
        return []
    rise = float(head.cost_per_request / base.cost_per_request) - 1
    if rise <= policy.max_cost_increase:
        return []
    return [
        Reason(
            rule="cost",
            verdict=Verdict.FAIL,
            text=f"Cost per request rose by {rise:.0%}; `gate.max_cost_increase` allows"
            f" {policy.max_cost_increase:.0%}.",
        )
    ]


def p95(comparison: Comparison, policy: GatePolicy) -> Sequence[Reason]:
    """Check the limit on the rise of the 95th percentile of latency.

    Only like is compared with like: where one version's answers come from the cache and the other's do not, the
    times were taken on different days, and a limit crossed would mean nothing.
    """
    base, head = comparison.base, comparison.head
    if policy.max_p95_increase is None or base is None or head is None:
        return []
    before, after = base.latency, head.latency
    if not before.p95 or after.p95 is None or comparison.plan.same_fingerprint:
        return []
    rise = after.p95 / before.p95 - 1
    if rise <= policy.max_p95_increase:
        return []
    if (base.latency_fresh == before.n) != (head.latency_fresh == after.n):
        return [_remark("p95", "One version's answers come from the cache, so latencies were not compared.")]
    said = f"p95 latency rose by {rise:.0%}; `gate.max_p95_increase` allows {policy.max_p95_increase:.0%}"
    if not (before.p95_certain and after.p95_certain):
        return [_remark("p95", f"{said}; with {after.n} answers that is not certain, so it does not block.")]
    return [Reason(rule="p95", verdict=Verdict.FAIL, text=f"{said}.")]


def goldens_changed(comparison: Comparison) -> Sequence[Reason]:
    """Call out a golden set that shrank, or whose expectations changed, in the same pull request."""
    plan = comparison.plan
    found = []
    if plan.removed_cases:
        found.append(_remark("goldens-shrank", f"Golden cases removed in this change: {_listed(plan.removed_cases)}."))
    if plan.loosened_cases:
        found.append(
            _remark(
                "goldens-loosened",
                "Expectations or assertions changed for the same question, so these cases are not compared:"
                f" {_listed(plan.loosened_cases)}. Check that they were not made easier.",
            )
        )
    return found


def models(comparison: Comparison) -> Sequence[Reason]:
    """Say when the endpoint answered with another model than it was asked for, or set up differently for the versions.

    Different models for one and the same request are no remark: then the versions are not comparable.
    """
    plan = comparison.plan
    sides = (("base", plan.base, comparison.base), ("new", plan.head, comparison.head))
    found: dict[tuple[str, str], list[str]] = {}
    for side, prompt, arm in sides:
        if (
            prompt is not None
            and arm is not None
            and (others := comparability.find_unexpected_models(prompt.model, arm.models))
        ):
            found.setdefault((prompt.model, _listed(others)), []).append(side)
    returned = [
        _remark(
            "model-returned",
            f"{'Both versions ask' if len(names) > 1 else f'The {names[0]} version asks'} for {asked}, and the endpoint"
            f" answered with {others}.",
        )
        for (asked, others), names in found.items()
    ]
    return [*returned, *_set_up(comparison)]


def _set_up(comparison: Comparison) -> Sequence[Reason]:
    """Say when the endpoint changed how it runs the model between the versions."""
    base, head = comparison.base, comparison.head
    if base is None or head is None or base.models != head.models:
        return []
    before, now = base.fingerprints, head.fingerprints
    if not before or not now or before == now:
        return []
    return [
        _remark(
            "set-up-differs",
            "The endpoint did not run the model alike for both versions (system_fingerprint"
            f" {_listed(before, 3)} for base, {_listed(now, 3)} for head): a small difference may come from that.",
        )
    ]


def attacked(comparison: Comparison) -> Sequence[Reason]:
    """Name the cases whose answers carry what looks like an attack on the judge."""
    ids: dict[Arm, dict[str, None]] = {arm: {} for arm in Arm}
    names: dict[str, None] = {}
    count = 0
    for scored in (one for case in comparison.cases for one in (*case.base, *case.head)):
        if found := prompt_injection.find_in_answer(scored):
            count += 1
            names |= dict.fromkeys(found)
            ids[scored.arm][scored.case.id] = None
    if not count:
        return []
    said, look = ("1 answer carries", "it") if count == 1 else (f"{count} answers carry", "them")
    where = "; ".join(f"{arm}: {_listed(list(found))}" for arm, found in ids.items() if found)
    text = f"{said} what looks like an attack on the judge ({_listed(list(names))}): {where}. Read {look} yourself."
    return [_remark("attack", text)]


def position_bias(comparison: Comparison) -> Sequence[Reason]:
    """Warn of a judge whose verdict depends on which answer stands first."""
    return [
        _remark(
            "position-bias",
            f"The judge changed its verdict on {found.flipped} of {found.pairs} pairs ({found.rate:.0%}) when"
            f" the answers changed places, and more than {pairwise.MAX_FLIPPED_SHARE:.0%} is too often."
            " They count as ties.",
        )
        for found in pairwise.measure_position_bias(one for case in comparison.cases for one in case.head)
        if found.biased
    ]


def _remark(rule: str, text: str) -> Reason:
    return Reason(rule=rule, verdict=Verdict.NO_CHANGE, text=text)


def _listed(ids: Sequence[str], most: int = 10) -> str:
    more = len(ids) - most
    return ", ".join(ids[:most]) + (f" and {more} more" if more > 0 else "")
