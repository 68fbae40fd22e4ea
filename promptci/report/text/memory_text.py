"""Sentences about earlier runs: flaky cases, noise, and the precision of the gate. Pure."""

from promptci.present import formatting
from promptci.report.model.report import FlakyCaseView, PrecisionView, PromptView, ReportView
from promptci.wording import join_names

MAX_FLAKY_NAMED = 10
"""Flaky cases listed by name."""
MAX_TO_LABEL = 5
LABEL_COMMAND = "promptci memory label"


def describe_flaky(prompt: PromptView) -> str:
    """Return which cases are flaky: `Flaky: 3 of 60 cases have flipped …`."""
    flaky_cases = prompt.flaky.cases
    have = "has" if len(flaky_cases) == 1 else "have"
    return (
        f"Flaky: {len(flaky_cases):,} of {formatting.count(prompt.cases, 'case')} {have} flipped by"
        f" {'itself' if len(flaky_cases) == 1 else 'themselves'} in this run or earlier ones, with the same prompt,"
        f" question and model: {join_names([*map(_describe_flaky_case, flaky_cases)], MAX_FLAKY_NAMED)}."
    )


def _describe_flaky_case(case: FlakyCaseView) -> str:
    return (
        f"{_strip_backticks(case.id)} (right {case.passes:,} of {formatting.count(case.passes + case.fails, 'time')})"
    )


def _strip_backticks(name: str) -> str:
    """Return a name without backticks, which mark code in our sentences."""
    return name.replace("`", "'")


def noise_row(prompt: PromptView, margin: float) -> list[tuple[str, str]]:
    """Return how often two equal runs disagree, as a row of the decision; empty if unknown."""
    flaky = prompt.flaky
    if flaky.discordance is None:
        return []
    discordance = f"two runs of one version disagree on {formatting.percent(flaky.discordance)} of the cases"
    needed = ""
    # What would decide stands in the sentence about the verdict; a second estimate of it would be another number.
    if flaky.cases_needed is not None and (prompt.quality is None or prompt.quality.cases_needed is None):
        needed = f"; about {flaky.cases_needed:,} pairs would settle a margin of {formatting.points(margin)}"
    return [("Chance alone", f"{discordance} (measured on {formatting.count(flaky.measured, 'case')}){needed}")]


def describe_precision(precision: PrecisionView) -> str:
    """Return the precision of verdicts that blocked or would have, as far as people labelled them."""
    if not precision.verdicts:
        return "No earlier verdict would have blocked."
    subject = f"Of {formatting.count(precision.verdicts, 'verdict')} that would have blocked,"
    if not precision.labelled:
        return f"{subject} none is labelled yet: `{LABEL_COMMAND} ID correct --why 'how you know'` (or `incorrect`)."
    share = formatting.percent(precision.correct / precision.labelled)
    span = ""
    if precision.interval is not None:
        lo, hi = (formatting.percent(end) for end in precision.interval)
        span = f", 95% interval {lo} to {hi}"
    return f"{subject} {precision.labelled:,} labelled by people: {precision.correct:,} correct ({share}{span})."


def label_requests(view: ReportView) -> list[str]:
    """Return requests to label verdicts that would have blocked, so that their precision becomes known."""
    failed_prompts = [p for p in view.prompts if p.verdict == "fail" and p.verdict_id]
    if view.gate.mode != "advise" or not failed_prompts:
        return []
    return [
        f"Label whether blocking {_strip_backticks(p.name)} would have been correct:"
        f" `{LABEL_COMMAND} {_strip_backticks(p.verdict_id or '')} correct --why 'how you know'`"
        " (or `incorrect`)."
        for p in failed_prompts[:MAX_TO_LABEL]
    ]
