"""What a terminal shows of a run below its headline: causes that prompts share, each prompt, its broken cases. Pure.

A developer without a browser reads here why a prompt got its verdict; everything else is in the report.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from promptci.lazy_dataclass import dataclass
from promptci.present import escape, formatting
from promptci.report.model.report import FindingView, PromptView, ReportView
from promptci.report.terminal.case_lines import VERDICT_STYLES, describe_case_lines
from promptci.report.terminal.styled_text import StyledLine, StyledPiece, line, table
from promptci.report.text import attribution_text, goldens_text, metrics, next_steps, number_text, provenance
from promptci.report.text.cases import case_highlights
from promptci.report.text.cases.case_outcomes import MAX_ID_CHARS
from promptci.wording import join_names

DEFAULT_CASES = 3
"""Broken cases of one prompt that are shown, as of `--show`."""
ALL_CASES = 1_000_000
MAX_IDS = 10
MAX_EXAMPLE = 200
MAX_NOTES = 5
"""Notes on the run, and on one prompt, that are shown."""
SHORT_METRICS = ("Quality (", "Cost per request", "Cost per month", "Latency p95")
INDENT = 2


ALWAYS_SHOWN = ("cut-off", "excluded")
"""Rules whose findings are shown beside any verdict: without them the counts mislead."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Detail:
    """How much is shown."""

    cases: int = DEFAULT_CASES
    """Broken cases of each prompt."""
    verbose: bool = False
    """All metrics, findings and notes, also of prompts without a problem."""
    command_line: bool = True
    """Whether the reader can repeat the command with another option; in the log of a job he cannot."""


def describe_run(view: ReportView, detail: Detail) -> Iterator[StyledLine]:
    """Yield the lines below the headline."""
    if view.override is not None:
        text = escape.one_line(provenance.describe_override(view.override))
        yield line(text, "strong", indent=INDENT, hang=2)
    errors = {prompt.name: _describe_errors(prompt, view.problems) for prompt in view.prompts}
    shared = [text for text, times in Counter(filter(None, errors.values())).items() if times > 1]
    for text in shared:
        names = [prompt.name for prompt in view.prompts if errors[prompt.name] == text]
        whole = len(names) == len(view.prompts)
        of_whom = f"all {len(names)} prompts" if whole else join_names(names, MAX_IDS)
        yield line(f"{of_whom}: {text}", "bad", indent=INDENT, hang=2)
        noted = [note for prompt in view.prompts if errors[prompt.name] == text for note in prompt.notes]
        yield from _notes(noted, 2 * INDENT, detail)
    yield from (line(text, indent=INDENT, hang=2) for text in _problems(view))
    for prompt in view.prompts:
        if errors[prompt.name] not in shared:
            yield line("")
            yield from _describe_prompt(prompt, errors[prompt.name], view.headline, detail)
    rest = [*_notes([*view.notes, *view.asking_notes], INDENT, detail), *_steps(view, detail)]
    yield from [line(""), *rest] if rest else []


def _describe_errors(prompt: PromptView, problems: Sequence[FindingView]) -> str:
    """Return why a prompt could not be evaluated, without the error that is stated of the whole run."""
    text = " ".join(finding.text for finding in prompt.findings if finding.verdict == "error")
    outcome, _, first_error = text.partition(" First error: ")
    cause = first_error.partition(": ")[2].rstrip(".")  # before it stands its kind
    is_stated = cause and any(cause in problem.text for problem in problems)
    return outcome.replace(f" ({cause})", "") if is_stated else text


def _problems(view: ReportView) -> Iterator[str]:
    """Yield what is wrong with the run as a whole, without the sentence that is the headline."""
    for problem in view.problems:
        first, _, rest = problem.text.partition(". ")
        is_headline = problem.text.removesuffix(".") in view.headline
        text = "" if is_headline else rest if first.rstrip(".") in view.headline else problem.text
        yield from [text] if text else []


def _describe_prompt(prompt: PromptView, errors: str, headline: str, detail: Detail) -> Iterator[StyledLine]:
    name = StyledPiece(text=escape.one_line(prompt.name), style="strong")
    verdict = StyledPiece(text=prompt.verdict, style=VERDICT_STYLES[prompt.verdict])
    yield StyledLine(pieces=(name, StyledPiece(text="  "), verdict), indent=INDENT)
    indent = 2 * INDENT
    if errors or not number_text.repeats(prompt.sentence, headline):
        yield line(errors or prompt.sentence, indent=indent)
    if detail.verbose:
        known = errors or prompt.sentence
        yield from (line(finding.text, indent=indent) for finding in number_text.findings_beyond(prompt, known))
    else:
        findings = number_text.findings_beyond(prompt, prompt.sentence)
        yield from (line(finding.text, indent=indent) for finding in findings if finding.rule in ALWAYS_SHOWN)
    yield from _notes(prompt.notes, indent, detail)
    if not errors:
        yield from _metrics(prompt, detail)
    if prompt.attribution is not None:
        text = f"Which edit broke it? {attribution_text.describe_attribution(prompt.attribution)}"
        yield line(text, "strong", indent=indent, hang=2)
    yield from (line(text, indent=indent) for text in _goldens(prompt))
    if not errors:
        yield from _cases(prompt, detail)


def _metrics(prompt: PromptView, detail: Detail) -> Iterator[StyledLine]:
    """Yield the table of a prompt; without a comparison, only where everything is asked for."""
    shown = [row for row in metrics.build_metrics(prompt) if detail.verbose or row.name.startswith(SHORT_METRICS)]
    if not shown or (prompt.base is None and not detail.verbose):
        return
    rows: list[tuple[str, ...]]
    if prompt.base is None:
        rows = [("", "value"), *((row.name, row.after) for row in shown)]
    else:
        known = [row for row in shown if detail.verbose or not row.after == row.before == formatting.UNKNOWN]
        rows = [("", "before", "after", "change"), *((row.name, row.before, row.after, row.change) for row in known)]
    if len(rows) > 1:
        yield from table(rows, indent=2 * INDENT)


def _cases(prompt: PromptView, detail: Detail) -> Iterator[StyledLine]:
    chosen = case_highlights.choose_highlights(prompt, detail.cases)
    if not chosen.cases and not chosen.left_out:
        return
    yield line(f"{chosen.title}:", "strong", indent=2 * INDENT)
    if confusions := case_highlights.describe_confusions(prompt):
        yield line(f"confused (expected → answered): {join_names(confusions)}", indent=3 * INDENT)
    if failures := case_highlights.describe_shared_failures(prompt):
        yield line("; ".join(failures), indent=3 * INDENT)
    for case in chosen.cases:
        yield from describe_case_lines(case, prompt, 3 * INDENT)
    if chosen.left_out:
        hint = "`--show all` lists them" if detail.command_line else "see the report"
        yield line(f"and {formatting.count(chosen.left_out, 'more case')}: {hint}", "muted", indent=2 * INDENT)


def _notes(notes: Sequence[str], indent: int, detail: Detail) -> Iterator[StyledLine]:
    limit = len(notes) if detail.verbose else MAX_NOTES
    yield from (line(f"note: {escape.one_line(note)}", "muted", indent=indent, hang=2) for note in notes[:limit])
    if len(notes) > limit:
        yield line(f"and {formatting.count(len(notes) - limit, 'more note')} in the report", "muted", indent=indent)


def _steps(view: ReportView, detail: Detail) -> Iterator[StyledLine]:
    """Yield what to do next, on a command line."""
    if detail.command_line:
        yield from (line(f"next: {step}", indent=INDENT, hang=2) for step in next_steps.next_steps(view))


def _goldens(prompt: PromptView) -> Iterator[str]:
    """Yield the results by base's goldens and by the change's own, as page and comment show them."""
    if not goldens_text.has_edits(prompt):
        return
    yield f"The goldens changed in the same pull request. {goldens_text.decided_by(prompt)}"
    for suite in goldens_text.suites(prompt):
        yield f"  by {suite.name}: {suite.sign.word}, {suite.quality}, {suite.cases} cases"
    if advice := goldens_text.advice(prompt):
        yield f"  {advice}"
    for edit in goldens_text.edits(prompt):
        shown = [escape.shorten(escape.one_line(name), MAX_ID_CHARS) for name in edit.ids]
        example = f" ({escape.shorten(escape.one_line(edit.example), MAX_EXAMPLE)})" if edit.example else ""
        yield f"  {edit.title}: {join_names(shown, MAX_IDS)}{example}"
