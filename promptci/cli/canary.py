"""`promptci canary`."""

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from promptci.cli import console
from promptci.publish.runner import workflow_commands
from promptci.redact import Redactor
from promptci.report import canary_report as report
from promptci.report.canary_report import CanaryReport
from promptci.rollout.canary import CanaryOutcome
from promptci.usecases.rollout import canary
from promptci.usecases.rollout.canary import CanaryRequest

LEVELS: dict[CanaryOutcome, workflow_commands.Level] = {CanaryOutcome.ROLL_BACK: "error", CanaryOutcome.HOLD: "warning"}
COLOURS = {CanaryOutcome.PROMOTE: "pass", CanaryOutcome.WAIT: "inconclusive", CanaryOutcome.HOLD: "inconclusive"}


@click.command("canary")
@click.option(
    "--repo",
    "root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="A folder of the git repository; default: here.",
)
@click.option(
    "--env",
    "environment",
    required=True,
    help="Environment: `production` reads deployments/production.yml of the working tree.",
)
@click.option(
    "--log",
    "logs",
    multiple=True,
    required=True,
    help="Request log, JSON lines: a path, or a glob in quotes; may be given several times.",
)
@click.option(
    "--now",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]),
    metavar="TIME",
    help="Decide as if it were this time, such as 2026-03-02T10:00:00Z; default: now.",
)
@click.option(
    "--apply",
    is_flag=True,
    help="Write the new share into the deployment file, and where the canary stands into the .canary.json beside it.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("promptci-report"),
    show_default=True,
    help="Folder for canary.md and canary.json.",
)
def command(now: datetime | None, **others: object) -> int:
    """Promote a canary, hold it or roll it back, by the request log of both arms.

    Each look compares the canary's users with the stable version's over the same time, in quality, failed requests,
    latency, cost and complaints. The test is always valid: looking every five minutes is as honest as looking once.

    \b
    promote    shown to be within every limit: the next step of 5, 25, 50, 100%
    wait       not enough is known yet
    hold       no data, arms that cannot be compared, a provider in trouble: for a person
    roll back  shown to be worse, and by a limit or more: share 0, until a version changes

    Exit code: 0 promoted, waiting or held, 1 rolled back, 4 could not evaluate, 2 bad usage or deployment file.
    """  # noqa: D301 - click's sign for lines that stay
    at = datetime.now(UTC) if now is None else now.astimezone(UTC)
    request = CanaryRequest(now=at, **others)  # type: ignore[arg-type]  # click has checked and converted each
    record, words = canary.evaluate_canaries(request, Redactor.from_environ(os.environ))
    _show(record)
    _tell_the_runner(record, words)
    return record.exit_code


def _show(record: CanaryReport) -> None:
    for decision in record.decisions:
        colour = console.COLOURS[COLOURS.get(decision.outcome, "fail")]
        click.secho(
            workflow_commands.safe_line(f"{decision.prompt}: {report.outcome_text(decision)}"), fg=colour, bold=True
        )
        for text in report.finding_texts(decision):
            console.say(f"  {text}")
    for problem in record.log.problems:
        console.say(f"not counted: {problem}")


def _tell_the_runner(record: CanaryReport, words: str) -> None:
    """Write summary, outputs and annotations where GitHub Actions asks for them."""
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        workflow_commands.append_summary(Path(summary), words)
    if output := os.environ.get("GITHUB_OUTPUT"):
        values = {"outcome": str(record.outcome), "changed": str(record.applied and record.changed).lower()}
        workflow_commands.set_outputs(Path(output), values)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        redactor = Redactor.from_environ(os.environ)
        for decision in record.decisions:
            if level := LEVELS.get(decision.outcome):
                title, text = (
                    f"promptci canary: {decision.prompt}: {decision.outcome}",
                    redactor.redact(" ".join(report.finding_texts(decision))),
                )
                click.echo(workflow_commands.annotation(level, None, None, redactor.redact(title), text))
