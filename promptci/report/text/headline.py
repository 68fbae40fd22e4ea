"""The headline of a run: what it means for the merge, in one sentence that needs no statistics. Pure."""

from collections.abc import Sequence
from decimal import Decimal

from promptci.findings import InterruptedRun
from promptci.gates.baseline_facts import NewPromptFacts
from promptci.gates.model import GateReport
from promptci.present import formatting
from promptci.present.finding_text.describe import describe
from promptci.report.text import verdict_text
from promptci.report.text.goldens_headline import describe_golden_edits
from promptci.report.text.number_text import DAYS_PER_MONTH, in_two
from promptci.runs.prompt_plan import Status
from promptci.scoring.prompt_run import PromptRun
from promptci.verdict import Verdict
from promptci.wording import count, join_names

MAX_CHARS = 1000
"""A prompt's name may be of any length."""
MAX_NAMES = 3


def headline(
    report: GateReport,
    kind: str = "check",
    requests_per_day: float | None = None,
    *,
    overridden_by: str | None = None,
) -> str:
    """Return the run's verdict in one sentence that names the worst prompt first.

    Parameters
    ----------
    report
        What the gate found.
    kind
        `check`, or `run` of one revision.
    requests_per_day
        Turns cost per request into cost per month; None: the month is left out.
    overridden_by
        Login of who let the blocked change through; None: nobody.
    """
    first_words = lead(report, kind) if overridden_by is None else f"Not blocked, overridden by {overridden_by}"
    cost = _cost(report, requests_per_day) if kind == "check" else ""
    edits = describe_golden_edits(report) if kind == "check" else ""
    text = f"{first_words}: {_body(report, kind)}{edits}{_new_names(report)}{cost}"
    text += "" if text.endswith("?") else "."
    text = _shorten_first_line(text)
    return text if len(text) <= MAX_CHARS else text[: MAX_CHARS - 1] + "…"


def _shorten_first_line(text: str) -> str:
    """Leave out some words where they keep the size of a change from the line that is read at a glance."""
    if " cases passed before," not in text or " after" in in_two(text)[0]:
        return text
    shorter = text.replace(" cases passed before,", " before,", 1)
    shorter = shorter if " after" in in_two(shorter)[0] else shorter.replace(" on these goldens:", ":", 1)
    return shorter if " after" in in_two(shorter)[0] else text


def lead(report: GateReport, kind: str = "check") -> str:
    """Return the first words of the headline: what the run means for the merge."""
    # A run of some cases blocks no merge, although it is never green.
    blocked = report.exit_code != 0 and not any(problem.rule == "filtered" for problem in report.problems)
    match report.verdict:
        case Verdict.FAIL if kind == "run":
            return "Failed" if report.exit_code else "Failed (advise mode, which blocks nothing)"
        case Verdict.FAIL:
            return "Blocked" if blocked else "Failed" if report.exit_code else "Would be blocked (advise mode)"
        case Verdict.INCONCLUSIVE:
            return "Blocked, inconclusive" if blocked and kind != "run" else "Inconclusive"
        case Verdict.ERROR:
            return "Error"
        case Verdict.PASS:
            return "Pass"
        case _:
            return "No change" if kind == "check" else "Nothing run"


def _body(report: GateReport, kind: str) -> str:
    causes = [problem for problem in report.problems if problem.verdict is report.verdict]
    if any(run.verdict is report.verdict for run in report.prompts):  # what got worse is told before who is missing
        causes = [problem for problem in causes if problem.rule != "missing-approval"]
    if causes and report.verdict is not Verdict.NO_CHANGE:
        others = f" (and {len(causes) - 1} more)" if len(causes) > 1 else ""
        return _failures_first(report) + describe(causes[0]).sentence.removesuffix(".") + others
    deciding = [run for run in report.prompts if run.verdict is report.verdict]
    if report.pooled is not None and not deciding:
        return describe(report.pooled).summary
    if report.verdict is Verdict.NO_CHANGE:
        uncompared = [problem for problem in causes if problem.rule == "nothing-compared"]
        return describe(uncompared[0]).summary if uncompared else _no_change(deciding, kind)
    if report.verdict is Verdict.PASS:
        return _pass(deciding)
    if report.verdict is Verdict.ERROR and (failures := _failures_first(report)):
        return f"{failures}{_untested(deciding)}{_others(report, named=Verdict.FAIL)}"
    if len(deciding) == 1:
        return _describe(deciding[0]) + _others(report)
    if report.verdict is Verdict.FAIL:
        return _worst(deciding) + _others(report)
    return _undecided(report, deciding) + _others(report)


def _failures_first(report: GateReport) -> str:
    """Name the prompts that failed before what stops the run for another reason; empty where there is none."""
    failed = [run for run in report.prompts if run.verdict is Verdict.FAIL]
    if report.verdict not in (Verdict.ERROR, Verdict.FAIL) or not failed:
        return ""
    worst, *others = sorted(failed, key=rank_loss)
    too = f", {_names(others)} {'fails' if len(others) == 1 else 'fail'} too" if others else ""
    return f"{_shown_name(worst)} {verdict_text.brief(worst)}{too}; "


def _untested(runs: Sequence[PromptRun]) -> str:
    """Describe the prompts that could not be evaluated, behind those that failed: why, where there is one."""
    names = f"{_names(runs)} could not be tested"
    return names if len(runs) > 1 else f"{names}. It {verdict_text.clause(runs[0])}"


def _undecided(report: GateReport, deciding: Sequence[PromptRun]) -> str:
    if all(verdict_text.leading_rule(run) == "deleted" for run in deciding):
        removed = sum(len(run.plan.change.removed_cases) for run in deciding)
        goldens = f": {count(removed, 'golden case')} no longer run" if removed else ", so nothing tests them any more"
        return f"{_names(deciding)} were deleted{goldens}"
    if report.verdict is Verdict.ERROR:
        predicate = "could not be evaluated"
    elif any(run.mismatches for run in deciding):
        predicate = "cannot be decided"
    else:
        predicate = "cannot be decided (no regression detected, but none ruled out)"
    return f"{len(deciding)} prompts {predicate}: {_names(deciding)}"


def _worst(deciding: Sequence[PromptRun]) -> str:
    """Name the prompt that lost most quality, and count the others."""
    worst, *others = sorted(deciding, key=rank_loss)
    return f"{_describe(worst)}; {_names(others)} {'fails' if len(others) == 1 else 'fail'} too"


def rank_loss(run: PromptRun) -> tuple[bool, float]:
    """Return a sort key: prompts that got worse first, by how much quality they lost."""
    effect = run.effect
    return verdict_text.leading_rule(run) != "regression", effect.delta if effect else 0.0


def _describe(run: PromptRun) -> str:
    return f"{_shown_name(run)} {verdict_text.clause(run)}"


def _shown_name(run: PromptRun) -> str:
    """Return a prompt's name, and the one it had before: its earlier cases and the registry go by that."""
    base = run.plan.change.base
    is_new_name = base is not None and run.plan.change.head is not None and base.name != run.name
    return f"{run.name} (was {base.name})" if base is not None and is_new_name else run.name


def _new_names(report: GateReport) -> str:
    """Return which prompts have a new name, which code that loads them must follow; empty where none has."""
    changes = [run.plan.change for run in report.prompts]
    renamed = [(c.base.name, c.name) for c in changes if c.base and c.head and c.base.name != c.name]
    if not renamed:
        return ""
    names = join_names([f"{name} from {before}" for before, name in renamed], MAX_NAMES)
    return f". Renamed: {names}; what loads {'it' if len(renamed) == 1 else 'them'} by name must follow"


def _cost(report: GateReport, requests_per_day: float | None) -> str:
    """Return what the change would cost a month; nothing where that is unknown."""
    if requests_per_day is None or any(isinstance(problem.facts, InterruptedRun) for problem in report.problems):
        return ""
    new = [run for run in report.prompts if run.plan.change.base is None and run.head is not None]
    compared = [run for run in report.prompts if run.base is not None and run.head is not None]
    if compared and not new and all(run.plan.same_fingerprint for run in compared):
        return ". Merging changes no cost" if all(run.head and run.head.evaluated for run in compared) else ""
    changed = [run for run in compared if not run.plan.same_fingerprint]
    months = [cost_per_month(run, requests_per_day) for run in changed]
    months += [_new_cost_per_month(run, requests_per_day) for run in new]
    known = [month for month in months if month is not None]
    if not known or len(known) != len(months) or abs(total := sum(known, Decimal(0))) < Decimal("0.005"):
        return ""
    traffic = f"{formatting.number(requests_per_day)} requests a day{' each' if len(known) > 1 else ''}"
    return f". Merging {'adds' if total > 0 else 'saves'} {formatting.money(float(abs(total)))} a month at {traffic}"


def _new_cost_per_month(run: PromptRun, requests_per_day: float) -> Decimal | None:
    """Return what a prompt without an earlier version would cost in a month; None where it is unknown."""
    cost = run.head.cost_per_request if run.head else None
    return None if cost is None else cost * Decimal(str(requests_per_day)) * DAYS_PER_MONTH


def cost_per_month(run: PromptRun, requests_per_day: float | None) -> Decimal | None:
    """Return what a prompt would cost more in a month; None where it is unknown or not comparable."""
    base, head = run.base, run.head
    before = base.cost_per_request if base else None
    after = head.cost_per_request if head else None
    if before is None or after is None or requests_per_day is None or run.mismatches:
        return None
    return (after - before) * Decimal(str(requests_per_day)) * DAYS_PER_MONTH


def _no_change(runs: Sequence[PromptRun], kind: str) -> str:
    if not runs:
        return "nothing that can change an answer was touched" if kind == "check" else "there is no prompt"
    verb = "was" if len(runs) == 1 else "were"
    return f"{_names(runs)} {verb} not tested"


def _pass(runs: Sequence[PromptRun]) -> str:
    """Claim `no regression` of the prompts of which that was shown, and something weaker of the others."""
    if len(runs) == 1:
        return _describe(runs[0])
    shown = [run for run in runs if any(finding.rule == "not-worse" for finding in run.findings)]
    others = [run for run in runs if run not in shown]
    parts = []
    if shown:
        parts.append(f"no regression in {count(len(shown), 'prompt')} ({_names(shown)})")
    if others:
        parts += _without_baseline(others)
    return "; ".join(parts)


def _without_baseline(runs: Sequence[PromptRun]) -> list[str]:
    """Describe new prompts: those that keep a limit, and those for which none is set."""
    limited = [run for run in runs if not _is_unlimited(run)]
    unlimited = [run for run in runs if _is_unlimited(run)]
    parts = []
    if limited:
        verb = "keeps" if len(limited) == 1 else "keep"
        parts.append(f"{count(len(limited), 'prompt')} ({_names(limited)}) {verb} the absolute limits")
    if unlimited:
        verb, every = ("is", "its cases") if len(unlimited) == 1 else ("are", "their cases")
        is_new = any(run.plan.change.status is Status.ADDED for run in unlimited)
        claim = f"{verb} new, and all {every} passed" if is_new else f"passed all {every}"
        parts.append(f"{count(len(unlimited), 'prompt')} ({_names(unlimited)}) {claim}")
    return parts


def _is_unlimited(run: PromptRun) -> bool:
    new = [finding.facts for finding in run.findings if isinstance(finding.facts, NewPromptFacts)]
    return bool(new) and not any(facts.is_limited for facts in new)


def _others(report: GateReport, named: Verdict | None = None) -> str:
    """Return what became of the prompts that did not make the verdict: names of the troubled, a count of the others."""
    parts = []
    for verdict, word in ((Verdict.FAIL, "failed"), (Verdict.INCONCLUSIVE, "inconclusive"), (Verdict.PASS, "passed")):
        runs = [run for run in report.prompts if run.verdict is verdict]
        if runs and verdict not in (report.verdict, named):
            names = "" if verdict is Verdict.PASS else f" ({join_names(_list_with_deleted(runs), MAX_NAMES)})"
            parts.append(f"{len(runs)} {word}{names}")
    return f". Other prompts: {', '.join(parts)}" if parts else ""


def _list_with_deleted(runs: Sequence[PromptRun]) -> list[str]:
    """Return the names, and which of the prompts the change deletes."""
    return [f"{run.name}, deleted" if run.plan.change.status is Status.DELETED else run.name for run in runs]


def _names(runs: Sequence[PromptRun]) -> str:
    return join_names([run.name for run in runs], MAX_NAMES)
