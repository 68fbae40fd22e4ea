"""`promptci alerts`."""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from promptci.cli import options
from promptci.cli.release import output
from promptci.monitor.alerts.evaluate import AlertLook
from promptci.pipeline.environment import DEFAULT_OUTPUT_FOLDER
from promptci.present import alert_text
from promptci.publish.runner import workflow_commands
from promptci.redact import Redactor
from promptci.usecases.monitoring import alerts
from promptci.usecases.monitoring.alerts import AlertsDocument, AlertsRequest


@click.group("alerts")
def command() -> None:
    """Open and close alerts on the figures of the monitor.

    \b
    Example:
      promptci alerts check --dry-run
    """  # noqa: D301 - click's sign for lines that stay


@command.command("check")
@options.repository_options
@click.option(
    "--monitor",
    type=click.Path(dir_okay=False, path_type=Path),
    default=DEFAULT_OUTPUT_FOLDER / "monitor.json",
    callback=options.place_default,
    show_default=True,
    help="The file that `promptci monitor` wrote.",
)
@click.option("--remote", default="origin", show_default=True, help="Remote with the branch promptci/history.")
@click.option("--push", is_flag=True, help="Keep the alerts on the remote's branch; without it, in this clone only.")
@click.option("--dry-run", is_flag=True, help="Evaluate and print; keep nothing, tell nobody.")
@options.now_option("Look")
@output.json_option
def check_command(now: datetime, as_json: bool, **others: Any) -> int:
    """Take one look: evaluate the rules of `alerts` in promptci.yml on monitor.json.

    An alert opens after two looks at which its rule fires, and closes after three at which it does not. What changed
    is kept on the branch promptci/history and in the audit log. With GITHUB_TOKEN, each open alert has one issue.

    \b
    Example:
      promptci monitor --log 'logs/*.jsonl'
      promptci alerts check --push
      promptci alerts check --dry-run --json

    Exit code: 0 no alert is open, 1 an alert is open, 2 there are no rules, 4 nothing is known (no monitor.json, no
    data, or too old), or somebody could not be told.
    """  # noqa: D301 - click's sign for lines that stay
    document, looks = alerts.check_alerts(AlertsRequest(environ=os.environ, now=now, **others))
    output.print_result(document, alerts.alert_lines(document), as_json=as_json)
    if not document.dry_run:
        _tell_the_runner(document, looks, to_stderr=as_json)
    return document.exit_code


def _tell_the_runner(document: AlertsDocument, looks: Sequence[AlertLook], *, to_stderr: bool) -> None:
    """Write summary, outputs and annotations where GitHub Actions asks for them."""
    redactor = Redactor.from_environ(os.environ)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        workflow_commands.append_summary(Path(summary), redactor.redact(alert_text.summary_table(looks, document.data)))
    if path := os.environ.get("GITHUB_OUTPUT"):
        events = [row.event for row in document.alerts]
        values = {
            "data": document.data,
            "open": str(document.open),
            "opened": str(events.count("opened")),
            "resolved": str(events.count("resolved")),
        }
        workflow_commands.set_outputs(Path(path), values)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for look in looks:
            if alerts.is_alarming(look):
                title = f"promptci: {alert_text.alert_title(look.rule, look.prompt)}"
                text = redactor.redact(alert_text.alert_line(look))
                line = workflow_commands.annotation("error", None, None, redactor.redact(title), text)
                click.echo(line, err=to_stderr)
        for problem in document.problems:
            line = workflow_commands.annotation("warning", None, None, "promptci alerts", redactor.redact(problem))
            click.echo(line, err=to_stderr)
