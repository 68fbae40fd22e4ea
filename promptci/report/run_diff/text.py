"""Render the comparison of two runs as text and as Markdown."""

from collections.abc import Iterator

from promptci.present import escape, formatting
from promptci.report.run_diff.compare import PromptDiff, RunDiff
from promptci.report.text import provenance
from promptci.wording import join_names

MAX_IDS = 20


def text_lines(run_diff: RunDiff) -> Iterator[str]:
    """Return the lines of the text; those of a prompt are indented."""
    yield f"from {escape.one_line(run_diff.before)} to {escape.one_line(run_diff.after)}"
    yield _transition("verdict", *run_diff.verdicts)
    yield f"spent: {formatting.money(run_diff.usd[0])}, then {formatting.money(run_diff.usd[1])}"
    for prompt in run_diff.prompts:
        yield f"{escape.one_line(prompt.name)}"
        for line in _prompt(prompt):
            yield f"  {line}"
    if not run_diff.prompts:
        yield "neither run tested a prompt"


def render_markdown(run_diff: RunDiff) -> str:
    """Render Markdown; quoted text is escaped."""
    parts = [f"### From {escape.code(run_diff.before)} to {escape.code(run_diff.after)}", ""]
    parts += [f"- {escape.prose(_transition('verdict', *run_diff.verdicts))}"]
    parts += [f"- spent: {formatting.money(run_diff.usd[0])}, then {formatting.money(run_diff.usd[1])}", ""]
    for prompt in run_diff.prompts:
        parts += [f"#### {escape.code(prompt.name, 80)}", ""]
        parts += [f"- {escape.inline(line)}" for line in _prompt(prompt)]
        parts.append("")
    if not run_diff.prompts:
        parts += ["Neither run tested a prompt.", ""]
    return "\n".join(parts)


def _transition(name: str, before: str, now: str) -> str:
    return f"{name}: {before}, as before" if before == now else f"{name}: {before} → {now}"


def _prompt(prompt: PromptDiff) -> Iterator[str]:
    first, second = prompt.before, prompt.after
    if first is None or second is None:
        verdict = (first or second).verdict  # type: ignore[union-attr]  # one of them is there
        yield f"tested in the {'first' if first else 'second'} run only: {verdict}"
        return
    yield _transition("verdict", first.verdict, second.verdict)
    if prompt.not_comparable:
        yield f"quality: not comparable: {'; '.join(prompt.not_comparable)}"
    else:
        both = f"{formatting.percent(first.quality)} → {formatting.percent(second.quality)}"
        over = f"over {formatting.count(prompt.shared_cases, 'case')} that both share"
        yield f"quality: {both} ({formatting.signed_points(prompt.delta)}) {over}"
        yield from _cases(prompt)
    yield f"cost per request: {formatting.money(first.cost_usd)} → {formatting.money(second.cost_usd)}"
    yield f"p95: {formatting.duration(first.p95_ms)} → {formatting.duration(second.p95_ms)}"
    for difference in prompt.differences:
        yield f"not the same: {provenance.shorten_digests(difference)}"


def _cases(prompt: PromptDiff) -> Iterator[str]:
    for name, ids in (("broken", prompt.regressions), ("fixed", prompt.fixes)):
        if ids:
            yield f"{name}: {join_names([*map(escape.one_line, ids)], MAX_IDS)}"
    if not prompt.regressions and not prompt.fixes:
        yield "no case changed its result"
    if prompt.reworded:
        yield f"another answer with the same result: {formatting.count(prompt.reworded, 'case')}"
