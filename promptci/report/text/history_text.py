"""Sentences about earlier runs: flaky cases, noise, and the precision of the gate. Pure."""

from promptci.present import formatting
from promptci.report.model.report import FlakyCaseView, PrecisionView, PromptView, ReportView

MAX_FLAKY_NAMED = 10
"""Flaky cases that are named."""
MAX_TO_LABEL = 5
LABEL_COMMAND = "promptci history label"


def describe_flaky(prompt: PromptView) -> str:
    """Return which cases are flaky: `Flaky: 3 of 60 cases have flipped …`."""
    found = prompt.flaky.cases
    have = "has" if len(found) == 1 else "have"
    more = f" and {len(found) - MAX_FLAKY_NAMED:,} more" if len(found) > MAX_FLAKY_NAMED else ""
    return (
        f"Flaky: {len(found):,} of {formatting.count(prompt.cases, 'case')} {have} flipped by"
        f" {'itself' if len(found) == 1 else 'themselves'} in earlier runs, with the same prompt, question and model:"
        f" {', '.join(map(_fared, found[:MAX_FLAKY_NAMED]))}{more}."
    )


def _fared(case: FlakyCaseView) -> str:
    return f"{_quoted(case.id)} (right {case.passes:,} of {formatting.count(case.passes + case.fails, 'time')})"


def _quoted(name: str) -> str:
    """Return a name without backticks, which mark code in our sentences."""
    return name.replace("`", "'")


def noise_row(prompt: PromptView, margin: float) -> list[tuple[str, str]]:
    """Return how often two equal runs disagree, as a row of the decision; empty if unknown."""
    found = prompt.flaky
    if found.discordance is None:
        return []
    said = f"two runs of one version disagree on {formatting.percent(found.discordance)} of the cases"
    needed = ""
    if found.cases_needed is not None:
        needed = f"; about {found.cases_needed:,} pairs would settle a margin of {formatting.points(margin)}"
    return [("Chance alone", f"{said} (measured on {formatting.count(found.measured, 'case')}){needed}")]


def describe_precision(found: PrecisionView) -> str:
    """Return the precision of verdicts that blocked or would have, as far as people labelled them."""
    if not found.verdicts:
        return "No earlier verdict would have blocked."
    of = f"Of {formatting.count(found.verdicts, 'verdict')} that would have blocked,"
    if not found.labelled:
        return f"{of} none is labelled yet: `{LABEL_COMMAND} ID correct` (or `incorrect`)."
    share = formatting.percent(found.correct / found.labelled)
    span = ""
    if found.interval is not None:
        lo, hi = (formatting.percent(end) for end in found.interval)
        span = f", 95% interval {lo} to {hi}"
    return f"{of} {found.labelled:,} labelled by people: {found.correct:,} correct ({share}{span})."


def label_requests(view: ReportView) -> list[str]:
    """Return requests to label verdicts that would have blocked, so that their precision becomes known."""
    found = [p for p in view.prompts if p.verdict == "fail" and p.verdict_id]
    if view.gate.mode != "advise" or not found:
        return []
    return [
        f"Label whether blocking {_quoted(p.name)} would have been correct:"
        f" `{LABEL_COMMAND} {_quoted(p.verdict_id or '')} correct --why …` (or `incorrect`)."
        for p in found[:MAX_TO_LABEL]
    ]
