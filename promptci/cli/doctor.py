"""`promptci doctor`."""

import os
from pathlib import Path

import click

from promptci.cli import console, options
from promptci.present import formatting
from promptci.redact import Redactor
from promptci.usecases.setup import doctor


@click.command("doctor")
@options.repository_options
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def command(root: Path, config_path: str, as_json: bool) -> int:
    """Check the repository and its workflow for mistakes; no model is asked.

    Exit code: 0 without errors (there may be warnings), 1 with errors.
    """
    findings = doctor.examine(root, config_path)
    errors = sum(finding.level == "error" for finding in findings)
    if as_json:
        click.echo(Redactor.from_environ(os.environ).redact(doctor.to_document(findings).dump()), nl=False)
        return int(errors > 0)
    for finding in findings:
        console.say(f"{finding.level}: {finding.problem}")
    warnings = formatting.count(len(findings) - errors, "warning")
    console.say(f"{formatting.count(errors, 'error')}, {warnings}")
    return int(errors > 0)
