"""What `promptci explain` prints: the edits of each failed prompt, and what its broken cases did without them. Pure."""

from collections.abc import Iterator

from promptci.present import escape
from promptci.report.model.attribution import AttributionView, EditEffectView
from promptci.report.model.report import PromptView, ReportView
from promptci.report.terminal.styled_text import StyledLine, line, table
from promptci.report.text import attribution_text

INDENT = 2


def describe_explanation(view: ReportView) -> Iterator[StyledLine]:
    """Yield the lines of every failed prompt; one line where none failed."""
    failed = [prompt for prompt in view.prompts if prompt.verdict == "fail"]
    if not failed:
        yield line("No prompt failed, so there is nothing to explain.")
    for prompt in failed:
        yield line("")
        yield line(escape.one_line(prompt.name), "strong", indent=INDENT)
        yield from _describe_prompt(prompt)


def is_explained(view: ReportView) -> bool:
    """Return whether an edit was named for every failed prompt, of which there is one at least."""
    failed = [prompt for prompt in view.prompts if prompt.verdict == "fail"]
    return bool(failed) and all(_is_named(prompt.attribution) for prompt in failed)


def _is_named(attribution: AttributionView | None) -> bool:
    return attribution is not None and any(effect.named for effect in attribution.effects)


def _describe_prompt(prompt: PromptView) -> Iterator[StyledLine]:
    attribution = prompt.attribution
    if attribution is None:
        reason = _reason(prompt)
        yield line(f"There is nothing to tell apart: {reason}.", indent=2 * INDENT, hang=2)
        return
    yield line(attribution_text.describe_attribution(attribution), indent=2 * INDENT, hang=2)
    if attribution.effects:
        first, second = ("this edit alone", "no edit") if attribution.alone else ("edit undone", "all edits")
        head = ("right answers", first, second, "edit")
        yield from table([head, *(_row(effect, attribution) for effect in attribution.effects)], indent=2 * INDENT)


def _reason(prompt: PromptView) -> str:
    if not prompt.regressions:
        return "no case broke; a limit or a missing approval decided the verdict"
    return "the answers of its edits cannot be asked for (recorded answers, an application)"


def _row(effect: EditEffectView, attribution: AttributionView) -> tuple[str, str, str, str]:
    edits = [edit for edit in attribution.edits if edit.number in effect.edits]
    return (
        "guilty" if effect.named else "",
        attribution_text.describe_share(effect.correct, effect.answers),
        attribution_text.describe_share(effect.control_correct, effect.control_answers),
        "; ".join(attribution_text.describe_edit(edit) for edit in edits),
    )
