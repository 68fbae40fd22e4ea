"""`promptci doctor`."""

import json
import os
from pathlib import Path

import click

from promptci.cli import console, options
from promptci.errors import PromptciError
from promptci.git.data_branch import has_history_branch
from promptci.history.ruleset import build_ruleset
from promptci.present import formatting
from promptci.redact import Redactor
from promptci.report.terminal.styled_text import Style, StyledLine, StyledPiece
from promptci.usecases.setup import doctor, doctor_ask, doctor_document

STYLES: dict[str, Style] = {"ok": "good", "note": "plain", "warning": "warn", "error": "bad"}
HISTORY_NOTE = (
    "note: the branch promptci/history should be protected against deletion and rewriting; "
    "`promptci doctor --ruleset` prints the ruleset for it"
)


@click.command("doctor")
@options.repository_options
@click.option("--ask", is_flag=True, help="Also send one request to each model that is used.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option(
    "--ruleset", is_flag=True, help="Print the ruleset that protects the branch promptci/history on GitHub, as JSON."
)
def command(*, root: Path, config_path: str, ask: bool, as_json: bool, ruleset: bool) -> int:
    """Check the repository and its workflow for mistakes, and list what is in order.

    No model is asked, but with --ask: one request to each, to see that key, endpoint and model names are right.

    With --ruleset nothing is checked. The ruleset forbids to delete or rewrite the history branch; set it up with
    `promptci doctor --ruleset | gh api repos/OWNER/NAME/rulesets --input -`.

    Exit code: 0 without errors (there may be warnings), 1 with errors.

    \b
    Example:
      promptci doctor
      promptci doctor --ask
    """  # noqa: D301 - click's sign for lines that stay
    if ruleset:
        click.echo(json.dumps(build_ruleset(), indent=2))
        return 0
    checkup = doctor.check_up(root, config_path, os.environ)
    findings = checkup.findings
    errors = sum(finding.level == "error" for finding in findings)
    warnings = len(findings) - errors
    if as_json:
        click.echo(Redactor.from_environ(os.environ).redact(doctor_document.to_document(findings).dump()), nl=False)
        return int(errors > 0)
    lines = [_line("ok", text) for text in checkup.in_order]
    lines += [_line("note", text) for text in checkup.notes]
    for finding in sorted(findings, key=lambda finding: finding.level, reverse=True):
        lines.append(_line(finding.level, str(finding.problem)))
    console.print_lines(lines)
    if ask:
        errors += _ask_models(root, config_path)
    if has_history_branch(root):
        console.say(HISTORY_NOTE)
    console.say(f"{formatting.count(errors, 'error')}, {formatting.count(warnings, 'warning')}")
    return int(errors > 0)


def _ask_models(root: Path, config_path: str) -> int:
    """Ask each model once, print how that went, and return the number of those that failed."""
    try:
        answers = doctor_ask.ask_models(root, config_path, os.environ)
    except PromptciError as error:
        console.print_lines([_line("error", f"no model was asked: {error}")])
        return 1
    for answer in answers:
        console.print_lines([_line("ok" if answer.ok else "error", f"model {answer.model}: {answer.text}")])
    return sum(not answer.ok for answer in answers)


def _line(level: str, text: str) -> StyledLine:
    pieces = (StyledPiece(text=f"{level}: ", style=STYLES[level]), StyledPiece(text=text))
    return StyledLine(pieces=pieces, hang=len(level) + 2)
