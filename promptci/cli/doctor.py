"""`promptci doctor`."""

import json
import os
from pathlib import Path

import click

from promptci.cli import console, options
from promptci.redact import Redactor
from promptci.usecases.setup import doctor

SCHEMA = "promptci/doctor/v1"


@click.command("doctor")
@options.repository
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def command(root: Path, config_path: str, as_json: bool) -> int:
    """Look the repository and its workflow over, and say what to mend; no model is asked.

    Exit code: 0 where nothing stands in the way (warnings may be left), 1 where something does.
    """
    findings = doctor.examine(root, config_path)
    errors = sum(finding.weight == "error" for finding in findings)
    if as_json:
        rows = [
            {
                "file": f.problem.path,
                "line": f.problem.line,
                "weight": f.weight,
                "what": f.problem.message,
                "fix": f.problem.hint,
            }
            for f in findings
        ]
        clean = Redactor.from_environ(os.environ).redact_value(rows)
        click.echo(json.dumps({"schema": SCHEMA, "findings": clean}, indent=2))
    else:
        for finding in findings:
            console.say(f"{finding.weight}: {finding.problem}")
        console.say(f"{errors} to mend, {len(findings) - errors} to consider" if findings else "Nothing to mend.")
    return int(errors > 0)
