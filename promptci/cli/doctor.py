"""`promptci doctor`."""

import json
import os
from pathlib import Path

import click

from promptci.cli import console, options
from promptci.history.ruleset import build_ruleset
from promptci.present import formatting
from promptci.redact import Redactor
from promptci.usecases.setup import doctor

HISTORY_NOTE = (
    "note: the branch promptci/history should be protected against deletion and rewriting; "
    "`promptci doctor --ruleset` prints the ruleset for it"
)


@click.command("doctor")
@options.repository_options
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option(
    "--ruleset", is_flag=True, help="Print the ruleset that protects the branch promptci/history on GitHub, as JSON."
)
def command(root: Path, config_path: str, as_json: bool, ruleset: bool) -> int:
    """Check the repository and its workflow for mistakes; no model is asked.

    With --ruleset nothing is checked. The ruleset forbids to delete or rewrite the history branch; set it up with
    `promptci doctor --ruleset | gh api repos/OWNER/NAME/rulesets --input -`.

    Exit code: 0 without errors (there may be warnings), 1 with errors.
    """
    if ruleset:
        click.echo(json.dumps(build_ruleset(), indent=2))
        return 0
    findings = doctor.examine(root, config_path)
    errors = sum(finding.level == "error" for finding in findings)
    if as_json:
        click.echo(Redactor.from_environ(os.environ).redact(doctor.to_document(findings).dump()), nl=False)
        return int(errors > 0)
    for finding in findings:
        console.say(f"{finding.level}: {finding.problem}")
    if doctor.has_history_branch(root):
        console.say(HISTORY_NOTE)
    warnings = formatting.count(len(findings) - errors, "warning")
    console.say(f"{formatting.count(errors, 'error')}, {warnings}")
    return int(errors > 0)
