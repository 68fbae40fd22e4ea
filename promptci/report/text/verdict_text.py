"""The words of a prompt's verdict, in one sentence. Pure; every situation has a test."""

from collections.abc import Sequence

from promptci.gates.model import Decision, Reason
from promptci.present import formatting
from promptci.runs.model import Arm, Status
from promptci.scoring.comparison import Comparison


def sentence(decision: Decision, kind: str = "check") -> str:
    """Say in one sentence how a prompt did, such as `Got worse: 58 of 60 cases passed before, 31 of 60 now.` ."""
    said = clause(decision, kind)
    return said[:1].upper() + said[1:].rstrip(".") + "."


def clause(decision: Decision, kind: str = "check") -> str:
    """Say how a prompt did, to be read after its name: `got worse: 58 of 60 cases passed before, 31 of 60 now`."""
    leading = _leading(decision)
    if not leading:
        return "was not tested"
    said = [_finding(reason, decision, kind) for reason in leading]
    numbers = "" if decision.mismatches else counts(decision.comparison)
    if leading[0].rule == "cannot-tell":
        said[0] = f"{numbers}; no regression detected ({detectable(decision.comparison)})"
    elif numbers and (joint := _JOINTS.get(leading[0].rule)):
        said[0] += joint + numbers
    return "; it also ".join(said)


def _leading(decision: Decision) -> list[Reason]:
    """Give the findings that made the verdict, the weightiest first."""
    decisive = [r for r in decision.reasons if r.verdict is decision.verdict]
    return sorted(decisive, key=lambda r: _RANK.index(r.rule) if r.rule in _RANK else len(_RANK))


def leads(decision: Decision) -> str:
    """Give the rule of the finding that leads the sentence; empty where there is none."""
    leading = _leading(decision)
    return leading[0].rule if leading else ""


def also(decision: Decision, kind: str) -> list[str]:
    """Give the findings behind the leading one, each to be read after `it also`."""
    return [_finding(reason, decision, kind) for reason in _leading(decision)[1:]]


_RANK = (
    "deleted",
    "missing-goldens",
    "no-cases",
    "nothing-evaluated",
    "error-rate",
    "regression",
    "critical",
    "min-quality",
    "cost",
    "p95",
    "cannot-tell",
    "not-comparable",
    "no-pairs",
    "not-worse",
    "new-prompt",
)
"""Which finding leads the sentence where several decide."""
_JOINTS = {"regression": ": ", "not-worse": ": ", "new-prompt": ": ", "critical": "; ", "cost": "; ", "p95": "; "}
"""Findings after which the numbers of cases are said."""
SENTENCES = frozenset({"cannot-tell", "nothing-evaluated", "error-rate", "all-aside"})
"""Findings whose words are no predicate, so that a colon follows the prompt's name."""


def _finding(reason: Reason, decision: Decision, kind: str) -> str:
    comparison = decision.comparison
    missing = f"{comparison.errors:,} of {comparison.answers_requested:,}"
    match reason.rule:
        case "deleted":
            return "was deleted, so nothing was run"
        case "missing-goldens":
            return "has no goldens, so nothing was tested"
        case "no-cases":
            return "has an empty golden set, so nothing was tested"
        case "nothing-evaluated":
            return f"no answer could be evaluated ({missing} failed)"
        case "error-rate":
            return f"too many answers are missing ({missing})"
        case "regression":
            return "got worse"
        case "critical":
            return _critical(comparison)
        case "min-quality":
            reached = comparison.head.quality if comparison.head else None
            return f"is below the quality that the gate asks for ({formatting.percent(reached)})"
        case "cost":
            return f"costs {_cost_rise(comparison)} more per request"
        case "p95":
            return f"is slower (p95 {_p95(comparison, Arm.BASE)} before, {_p95(comparison, Arm.HEAD)} now)"
        case "not-comparable":
            return f"is not comparable: {'; '.join(decision.mismatches)}"
        case "all-aside":
            return reason.text[:1].lower() + reason.text[1:].rstrip(".")
        case "no-pairs":
            return "cannot be compared, because no case has the same text at both revisions"
        case "not-worse":
            return _not_worse(comparison)
        case "new-prompt":
            return "keeps the absolute limits" if kind == "run" else "is new and keeps the absolute limits"
        case _:
            return reason.text.rstrip(".")


def _not_worse(comparison: Comparison) -> str:
    if comparison.plan.same_fingerprint:
        return "asks the model the same as before"
    found = comparison.effect
    if found is not None and found.interval is not None and found.interval.lo > 0:
        return "got better"
    return "shows no regression"


def _critical(comparison: Comparison) -> str:
    """Name the critical cases that block, as the gate finds them."""
    added = comparison.plan.status is Status.ADDED
    if added:
        ids = [c.case.id for c in comparison.cases if c.counts_as_critical and c.pass_rate(Arm.HEAD) == 0.0]
    else:
        ids = [c.case.id for c in comparison.compared if c.critical_broke]
    verb = "fails" if added else "broke"
    return f"{verb} {formatting.count(len(ids), 'critical case')} ({listed(ids)})"


def _cost_rise(comparison: Comparison) -> str:
    before = comparison.base.cost_per_request if comparison.base else None
    after = comparison.head.cost_per_request if comparison.head else None
    return (
        formatting.change(float(after / before) - 1).lstrip("+") if before and after is not None else formatting.UNKNOWN
    )


def _p95(comparison: Comparison, arm: Arm) -> str:
    summary = comparison.base if arm is Arm.BASE else comparison.head
    return formatting.duration(summary.latency.p95 if summary else None)


def counts(comparison: Comparison) -> str:
    """Say how many cases passed before and now; in percent where answers were repeated, weighted or graded."""
    found = comparison.effect
    if found is None:
        return _head_counts(comparison)
    n = len(comparison.pairs)
    rates = [(pair.pass_rate(Arm.BASE), pair.pass_rate(Arm.HEAD)) for pair in comparison.pairs]
    whole = found.measure == "pass rate" and all(value in (0.0, 1.0) for pair in rates for value in pair)
    if whole and len({pair.case.weight for pair in comparison.pairs}) == 1:
        before, after = (sum(value == 1.0 for value in side) for side in zip(*rates, strict=True))
        return f"{before:,} of {formatting.count(n, 'case')} passed before, {after:,} of {n:,} now"
    over = formatting.count(n, "case")
    before_rate, after_rate = formatting.percent(found.reference), formatting.percent(found.candidate)
    return f"{found.measure} {before_rate} before, {after_rate} now, over {over}"


def _head_counts(comparison: Comparison) -> str:
    """Say how many cases the only version passed; nothing where there is no answer."""
    counted = [case for case in comparison.cases if case.excluded_reason is None]
    rates = [rate for case in counted if (rate := case.pass_rate(Arm.HEAD)) is not None]
    if not rates:
        return ""
    passed = sum(rate == 1.0 for rate in rates)
    return f"{passed:,} of {formatting.count(len(rates), 'case')} pass"


def detectable(comparison: Comparison) -> str:
    """Say what these goldens could have shown."""
    drop = comparison.effect.detectable_drop if comparison.effect else None
    if drop is None:
        return "these goldens are too few to detect any drop"
    return f"these goldens could detect a drop of {formatting.points(drop)} or more"


def listed(names: Sequence[str], most: int = 3) -> str:
    """Give `a, b and c`, or `a, b, c and 4 more`."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""
