"""`promptci judge`."""

from pathlib import Path

import click

from promptci.app.requests import CheckRequest
from promptci.cli import console, options
from promptci.publish.runner.workflow_commands import safe_line
from promptci.report.text import judge_text
from promptci.usecases.trust import judge_calibration
from promptci.usecases.trust.judge_calibration import CalibrationResult


@click.group("judge")
def command() -> None:
    """Measure the judges that mark what code cannot."""


@command.command("calibrate")
@options.repository_options
@click.option("--prompt", help="Name of one prompt; default: all that have labels.")
@click.option("--head", default=".", show_default=True, help="Revision; `.` is the working tree.")
@click.option("--dry-run", is_flag=True, help="Print what it would cost; ask nothing.")
@click.option("--no-cache", is_flag=True, help="Ask every question again.")
@options.output_option("Folder for calibration.json and the journal.", Path("promptci-judge"))
def calibrate_command(prompt: str | None, **others: object) -> int:
    """Have the judge mark answers that people have marked, and say how far it agrees with them.

    Exit code: 0 every judge is trusted, 1 some judge is not, 4 could not evaluate, 2 bad usage or files.
    """
    request = CheckRequest(**others)  # type: ignore[arg-type]  # click has checked and converted each
    with console.environment() as env:
        result = judge_calibration.calibrate_judges(request, env, prompt)
    _show(result)
    return result.exit_code


def _show(result: CalibrationResult) -> None:
    for name, judge in result.judges.items():
        colour = console.COLOURS["pass" if judge.trusted else "inconclusive"]
        click.secho(safe_line(f"{name}: {judge_text.trust_sentence(judge)}"), fg=colour, bold=True)
        for title, text in judge_text.judge_numbers(judge):
            console.say(f"  {title}: {text}")
    for note in result.notes:
        console.say(note)
    if result.path is not None:
        console.say(f"written: {result.path}")
