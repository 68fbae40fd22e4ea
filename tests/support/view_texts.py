"""The words of a view, without markup and without cases: a small text that a reviewer can read in a diff."""

from collections.abc import Iterator

from promptci.report.html import groups
from promptci.report.model.report import PromptView, ReportView
from promptci.report.text import judge_text, memory_text, metrics, next_steps, number_text, provenance

MAX_CHARS = 300
"""Of one line."""


def describe_view(view: ReportView) -> str:
    """Return the words that every output takes from a view."""
    return "\n".join(line[:MAX_CHARS].encode("utf-8", "backslashreplace").decode() for line in _lines(view)) + "\n"


def _lines(view: ReportView) -> Iterator[str]:
    yield f"{number_text.sign(view.verdict).word}: {view.headline}"
    yield from (f"problem: {problem.text}" for problem in number_text.problems(view))
    yield from (f"note: {note}" for note in view.notes)
    if view.precision:
        yield f"precision: {memory_text.describe_precision(view.precision)}"
    for prompt in view.prompts:
        yield ""
        yield from _prompt_lines(prompt, view)
    yield ""
    yield from (f"next: {step}" for step in next_steps.next_steps(view))
    yield f"calls and cost: {number_text.spend(view)}"


def _prompt_lines(prompt: PromptView, view: ReportView) -> Iterator[str]:
    yield f"{prompt.name}: {prompt.verdict}, {prompt.status}"
    yield f"  {prompt.sentence}"
    yield from (f"  finding: {reason.verdict}: {reason.text}" for reason in number_text.findings(prompt))
    yield from (f"  note: {note}" for note in prompt.notes)
    if prompt.removed_cases or prompt.weakened_cases:
        yield f"  removed: {prompt.removed_cases}, weakened: {prompt.weakened_cases}"
    if prompt.flaky.cases:
        yield f"  {memory_text.describe_flaky(prompt)}"
    if prompt.judge:
        yield f"  judge: {judge_text.trust_sentence(prompt.judge)}"
    for metric in metrics.build_metrics(prompt):
        yield f"  {metric.name}: {metric.before} → {metric.after}, {metric.change} ({metric.note})"
    yield from (f"  {kind.title}: {len(cases)}" for kind, cases in groups.group_cases(prompt))
    yield from (f"  {name}: {value}" for name, value in provenance.decided(prompt, view))
    yield from (f"  {name}: {value}" for name, value in provenance.comparability_rows(prompt))
