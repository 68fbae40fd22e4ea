"""The headline of a run: what it means for the merge, in one sentence that needs no statistics. Pure."""

from collections.abc import Sequence
from decimal import Decimal

from promptci.gates.model import Decision, GateReport
from promptci.present import formatting
from promptci.report.text import verdict_text
from promptci.runs.model import Status
from promptci.verdict import Verdict

LIMIT = 1000
"""Longest headline; a prompt's name may be of any length."""
DAYS_PER_MONTH = 30


def headline(report: GateReport, kind: str = "check", requests_per_day: float | None = None) -> str:
    """Give the run's verdict in one sentence that names the worst prompt and counts the others.

    Parameters
    ----------
    report
        What the gate found.
    kind
        `check`, or `run` of one revision.
    requests_per_day
        Turns cost per request into cost per month; None: the month is not spoken of.
    """
    rest = _rest(report, kind) + _cost(report, requests_per_day)
    return _clipped(f"{lead(report, kind)}: {rest}.")


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


def _rest(report: GateReport, kind: str) -> str:
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
    if report.verdict is Verdict.FAIL:
        return _worst(deciding, kind) + _others(report)
    unlike = any(decision.mismatches for decision in deciding)
    what = {
        Verdict.INCONCLUSIVE: "cannot be decided" + ("" if unlike else " (no regression detected, but none ruled out)"),
        Verdict.ERROR: "could not be evaluated",
    }[report.verdict]
    return f"{len(deciding)} prompts {what}: {_names(deciding)}" + _others(report)


def _worst(deciding: Sequence[Decision], kind: str) -> str:
    """Name the prompt that lost most quality, and count the others."""
    worst, *others = sorted(deciding, key=_loss)
    more = formatting.count(len(others), "more prompt")
    return f"{_with_name(worst, kind)}; {more} got worse or crossed a limit ({_names(others)})"


def _loss(decision: Decision) -> tuple[bool, float]:
    found = decision.comparison.effect
    return verdict_text.leads(decision) != "regression", found.delta if found else 0.0


def _with_name(decision: Decision, kind: str) -> str:
    name = decision.comparison.plan.name
    if verdict_text.leads(decision) == "regression" and (said := _regression(decision)):
        return "; it also ".join([f"{name} {said}", *verdict_text.also(decision, kind)])
    joint = ": " if verdict_text.leads(decision) in verdict_text.SENTENCES else " "
    return f"{name}{joint}{verdict_text.clause(decision, kind)}"


def _regression(decision: Decision) -> str:
    """Say how many cases got worse and by how much: `answers 27 of 60 cases worse (−45 points, …)`."""
    found = decision.comparison.effect
    if found is None or not found.worse:
        return ""
    better = f" and {found.better:,} better" if found.better else ""
    size = formatting.signed_points(found.delta)
    if found.interval is not None:
        lo, hi = (formatting.bare_points(end) for end in (found.interval.lo, found.interval.hi))
        size += f", {formatting.percent(found.confidence)} interval {lo} to {hi}"
    cases = formatting.count(len(decision.comparison.pairs), "case")
    return f"answers {found.worse:,} of {cases} worse{better} ({size})"


def _cost(report: GateReport, requests_per_day: float | None) -> str:
    """Say what the change would cost a month; nothing where that is unknown, or nothing could be concluded."""
    about_the_run = any(problem.verdict is report.verdict for problem in report.problems)
    if about_the_run or report.verdict in (Verdict.ERROR, Verdict.NO_CHANGE):
        return ""
    compared = [d for d in report.decisions if d.comparison.effect is not None]
    months = [monthly(decision, requests_per_day) for decision in compared]
    known = [month for month in months if month is not None]
    if not known or len(known) != len(months) or abs(total := sum(known, Decimal(0))) < Decimal("0.005"):
        return ""
    who = "it" if len(report.decisions) == 1 else "all together"
    return f"; {who} would cost {formatting.money(float(abs(total)))} {'more' if total > 0 else 'less'} a month"


def monthly(decision: Decision, requests_per_day: float | None) -> Decimal | None:
    """Give what a prompt would cost more in a month of this traffic; None where it is unknown or not comparable."""
    base, head = decision.comparison.base, decision.comparison.head
    before = base.cost_per_request if base else None
    after = head.cost_per_request if head else None
    if before is None or after is None or requests_per_day is None or decision.mismatches:
        return None
    return (after - before) * Decimal(str(requests_per_day)) * DAYS_PER_MONTH


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
        return (
            f"no regression: {name}: {verdict_text.counts(one.comparison)}"
            if shown
            else f"{name} {verdict_text.clause(one, kind)}"
        )
    said = []
    if shown:
        said.append(f"no regression in {formatting.count(len(shown), 'prompt')} ({_names(shown)})")
    if others:
        keep = "keeps" if len(others) == 1 else "keep"
        said.append(f"{formatting.count(len(others), 'prompt')} ({_names(others)}) {keep} the absolute limits")
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
    return verdict_text.listed([d.comparison.plan.name for d in decisions])


def _clipped(text: str) -> str:
    return text if len(text) <= LIMIT else text[: LIMIT - 1] + "…"
