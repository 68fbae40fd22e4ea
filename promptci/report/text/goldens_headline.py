"""What the headline says of golden cases that the change adds, edits or leaves behind. Pure."""

from collections.abc import Sequence

from promptci.gates.baseline_facts import MissingGoldens
from promptci.gates.model import GateReport
from promptci.present.finding_text import untested
from promptci.present.finding_text.describe import describe
from promptci.runs.prompt_plan import PromptChange
from promptci.scoring.prompt_run import PromptRun
from promptci.verdict import Verdict
from promptci.wording import join_names

MAX_NAMES = 3


def describe_golden_edits(report: GateReport) -> str:
    """Return sentences to be read after a headline, each begun with `. `; empty where there is nothing to know."""
    about_the_run = any(problem.verdict is report.verdict for problem in report.problems)
    if about_the_run and report.verdict is Verdict.ERROR:
        return _describe_left_behind(report)
    if about_the_run or report.verdict in (Verdict.ERROR, Verdict.NO_CHANGE):
        return ""
    runs = [run for run in report.prompts if run.plan.change.base is not None and run.plan.change.head is not None]
    failing = [(run, finding) for run in runs for finding in run.findings if finding.rule == "new-cases-fail"]
    texts = [
        f"{'It' if len(report.prompts) == 1 else run.name} {describe(finding).summary}" for run, finding in failing
    ]
    edited = [run for run in runs if run.plan.change.removed_cases or run.plan.change.loosened_cases]
    return "".join(f". {text}" for text in [*texts, *([_describe_edited(edited, report)] if edited else [])])


def _describe_left_behind(report: GateReport) -> str:
    """Return what the goldens that the change left behind show of their prompts: the error is about the files alone."""
    facts = [(run.name, f.facts) for run in report.prompts for f in run.findings if f.rule == "missing-goldens"]
    results = [
        f"{name} {result}"
        for name, each in facts
        if isinstance(each, MissingGoldens) and (result := untested.result_by_old_goldens(each))
    ]
    return f". By the old goldens {'; '.join(results[:MAX_NAMES])}" if results else ""


def _describe_edited(runs: Sequence[PromptRun], report: GateReport) -> str:
    changes = [run.plan.change for run in runs]
    names = join_names([run.name for run in runs], MAX_NAMES)
    owner = "Its goldens" if len(report.prompts) == 1 else f"The goldens of {names}"
    too = "" if all(run.plan.same_fingerprint for run in runs) else " too"
    return f"{owner} changed{too}: {', '.join(_count_edits(changes))}"


def _count_edits(changes: Sequence[PromptChange]) -> list[str]:
    looser = sum(len(change.looser_cases) for change in changes)
    other = sum(len(change.loosened_cases) for change in changes) - looser
    lighter = sum(len(change.no_longer_critical) for change in changes)
    removed = sum(len(change.removed_cases) for change in changes)
    critical = sum(len(change.removed_critical) for change in changes)
    of_them = f" ({critical:,} critical)" if critical else ""
    counts = (
        (looser, f"{looser:,} loosened"),
        (lighter, f"{lighter:,} no longer critical"),
        (removed, f"{removed:,} removed{of_them}"),
        (other, f"{other:,} with other requirements"),
    )
    return [text for number, text in counts if number]
