"""The words of a verdict: the sentence of a prompt, the headline of a run. Pure; every situation has a test."""

from collections.abc import Sequence

from promptci.compare.model import Comparison
from promptci.gates.model import Decision, GateReport, Reason
from promptci.report import filters
from promptci.runs.model import Arm, Status
from promptci.verdict import Verdict

LIMIT = 1000
"""Longest headline; a prompt's name may be of any length."""


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


def _with_name(decision: Decision, kind: str) -> str:
    leading = _leading(decision)
    joint = ": " if leading and leading[0].rule in _SENTENCES else " "
    return f"{decision.comparison.plan.name}{joint}{clause(decision, kind)}"


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
_SENTENCES = frozenset({"cannot-tell", "nothing-evaluated", "error-rate", "all-aside"})
"""Findings whose words are no predicate, so that a colon follows the prompt's name."""


def _finding(reason: Reason, decision: Decision, kind: str) -> str:
    comparison = decision.comparison
    missing = f"{comparison.errors:,} of {comparison.asked:,}"
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
            return f"is below the quality that the gate asks for ({filters.percent(reached)})"
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
    found = comparison.quality
    if found is not None and found.interval is not None and found.interval.lo > 0:
        return "got better"
    return "shows no regression"


def _critical(comparison: Comparison) -> str:
    """Name the critical cases that block, as the gate finds them."""
    added = comparison.plan.status is Status.ADDED
    if added:
        ids = [c.case.id for c in comparison.cases if c.must_pass and c.pass_rate(Arm.HEAD) == 0.0]
    else:
        ids = [c.case.id for c in comparison.compared if c.critical_break]
    verb = "fails" if added else "broke"
    return f"{verb} {filters.count(len(ids), 'critical case')} ({listed(ids)})"


def _cost_rise(comparison: Comparison) -> str:
    before = comparison.base.cost_per_request if comparison.base else None
    after = comparison.head.cost_per_request if comparison.head else None
    return filters.change(float(after / before) - 1).lstrip("+") if before and after is not None else filters.UNKNOWN


def _p95(comparison: Comparison, arm: Arm) -> str:
    summary = comparison.base if arm is Arm.BASE else comparison.head
    return filters.duration(summary.latency.p95 if summary else None)


def counts(comparison: Comparison) -> str:
    """Say how many cases passed before and now; in percent where answers were repeated, weighted or graded."""
    found = comparison.quality
    if found is None:
        return _head_counts(comparison)
    n = len(comparison.pairs)
    rates = [(pair.pass_rate(Arm.BASE), pair.pass_rate(Arm.HEAD)) for pair in comparison.pairs]
    whole = found.measure == "pass rate" and all(value in (0.0, 1.0) for pair in rates for value in pair)
    if whole and len({pair.case.weight for pair in comparison.pairs}) == 1:
        before, after = (sum(value == 1.0 for value in side) for side in zip(*rates, strict=True))
        return f"{before:,} of {filters.count(n, 'case')} passed before, {after:,} of {n:,} now"
    over = filters.count(n, "case")
    return f"{found.measure} {filters.percent(found.base)} before, {filters.percent(found.head)} now, over {over}"


def _head_counts(comparison: Comparison) -> str:
    """Say how many cases the only version passed; nothing where there is no answer."""
    counted = [case for case in comparison.cases if case.aside is None]
    rates = [rate for case in counted if (rate := case.pass_rate(Arm.HEAD)) is not None]
    if not rates:
        return ""
    passed = sum(rate == 1.0 for rate in rates)
    return f"{passed:,} of {filters.count(len(rates), 'case')} pass"


def detectable(comparison: Comparison) -> str:
    """Say what these goldens could have shown."""
    drop = comparison.quality.detectable_drop if comparison.quality else None
    if drop is None:
        return "these goldens are too few to detect any drop"
    return f"these goldens could detect a drop of {filters.points(drop)} or more"


def headline(report: GateReport, kind: str = "check") -> str:
    """Give the run's verdict in one sentence that names the prompts it comes from."""
    return _clipped(f"{lead(report, kind)}: {_headline_rest(report, kind)}.")


def lead(report: GateReport, kind: str = "check") -> str:
    """Give the first word of the headline: what the run means for the merge."""
    blocked = report.exit_code != 0
    match report.verdict:
        case Verdict.FAIL if kind == "run":
            return "Failed"
        case Verdict.FAIL:
            return "Blocked" if blocked else "Would be blocked (advise mode)"
        case Verdict.INCONCLUSIVE:
            return "Blocked, undecided" if blocked else "Undecided"
        case Verdict.ERROR:
            return "Could not evaluate"
        case Verdict.PASS:
            return "Pass"
        case _:
            return "No change" if kind == "check" else "Nothing run"


def _headline_rest(report: GateReport, kind: str) -> str:
    causes = [problem for problem in report.problems if problem.verdict is report.verdict]
    if causes and report.verdict is not Verdict.NO_CHANGE:
        more = f" (and {len(causes) - 1} more)" if len(causes) > 1 else ""
        return causes[0].text.rstrip(".") + more
    deciding = [d for d in report.decisions if d.verdict is report.verdict]
    if report.pooled is not None and not deciding:
        return report.pooled.text.rstrip(".")
    if report.verdict is Verdict.NO_CHANGE:
        return _no_change(deciding, kind)
    if report.verdict is Verdict.PASS:
        return _pass(deciding, kind)
    if len(deciding) == 1:
        return _with_name(deciding[0], kind) + _others(report)
    unlike = any(decision.mismatches for decision in deciding)
    what = {
        Verdict.FAIL: "got worse or crossed a limit",
        Verdict.INCONCLUSIVE: "cannot be decided" + ("" if unlike else " (no regression detected, but none ruled out)"),
        Verdict.ERROR: "could not be evaluated",
    }[report.verdict]
    return f"{len(deciding)} prompts {what}: {_names(deciding)}" + _others(report)


def _no_change(decisions: Sequence[Decision], kind: str) -> str:
    if not decisions:
        return "nothing that can change an answer was touched" if kind == "check" else "there is no prompt"
    verb = "was" if len(decisions) == 1 else "were"
    if all(d.comparison.plan.status is Status.DELETED for d in decisions):
        return f"{_names(decisions)} {verb} deleted, so there is nothing to test"
    return f"{_names(decisions)} {verb} not tested"


def _pass(decisions: Sequence[Decision], kind: str) -> str:
    """Say `no regression` of the prompts of which that was shown, and something weaker of the others."""
    shown = [d for d in decisions if any(r.rule == "not-worse" for r in d.reasons)]
    others = [d for d in decisions if not any(r.rule == "not-worse" for r in d.reasons)]
    if len(decisions) == 1:
        (one,) = decisions
        name = one.comparison.plan.name
        return f"no regression: {name}: {counts(one.comparison)}" if shown else f"{name} {clause(one, kind)}"
    said = []
    if shown:
        said.append(f"no regression in {filters.count(len(shown), 'prompt')} ({_names(shown)})")
    if others:
        keep = "keeps" if len(others) == 1 else "keep"
        said.append(f"{filters.count(len(others), 'prompt')} ({_names(others)}) {keep} the absolute limits")
    return "; ".join(said)


def _others(report: GateReport) -> str:
    """Count the prompts that did not make the verdict."""
    parts = []
    for verdict, word in ((Verdict.FAIL, "failed"), (Verdict.INCONCLUSIVE, "undecided"), (Verdict.PASS, "passed")):
        found = sum(d.verdict is verdict for d in report.decisions)
        if found and verdict is not report.verdict:
            parts.append(f"{found} {word}")
    return f". Other prompts: {', '.join(parts)}" if parts else ""


def _names(decisions: Sequence[Decision]) -> str:
    return listed([d.comparison.plan.name for d in decisions])


def listed(names: Sequence[str], most: int = 3) -> str:
    """Give `a, b and c`, or `a, b, c and 4 more`."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def _clipped(text: str) -> str:
    return text if len(text) <= LIMIT else text[: LIMIT - 1] + "…"
