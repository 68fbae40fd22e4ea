"""`promptci judge`."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from promptci.app.requests import CheckRequest
from promptci.cli import console, options
from promptci.cli.options import Command
from promptci.cli.release import output
from promptci.errors import UsageError
from promptci.present import escape
from promptci.publish.runner.workflow_commands import safe_line
from promptci.report.terminal import styled_text
from promptci.report.terminal.styled_text import StyledLine
from promptci.report.text import judge_text
from promptci.scoring.judges.trust import MIN_LABELS
from promptci.usecases.trust import judge_calibration, judge_labels
from promptci.usecases.trust.judge_calibration import CalibrationResult
from promptci.usecases.trust.judge_labels import LabelRequest, UnlabelledAnswer
from promptci.wording import count

KEYS = "ynsq"


def _prompt_options(description: str) -> Callable[[Command], Command]:
    """Return a decorator that adds `--prompt`, and the name alone as another way to say it, which no help shows."""

    def decorate(command: Command) -> Command:
        command = click.argument("argument", required=False, metavar="")(command)
        return click.option("--prompt", metavar="NAME", help=description)(command)

    return decorate


def _choose_prompt(option: str | None, argument: str | None) -> str | None:
    """Return the name of the prompt, however it was given; raises UsageError for two different ones."""
    if option and argument and option != argument:
        raise UsageError(f"two prompts are named: `{option}` and `{argument}`", "Name one by --prompt.")
    return option or argument


@click.group("judge")
def command() -> None:
    """Measure the judges that mark what code cannot.

    \b
    Example:
      promptci judge label --prompt order-extractor
      promptci judge calibrate
    """  # noqa: D301 - click's sign for lines that stay


@command.command("label")
@options.repository_options
@_prompt_options("Name of the prompt.")
@click.option(
    "--report",
    type=options.LastReport(),
    default=options.LAST_REPORT,
    show_default=True,
    help="The report.json with the answers.",
)
def label_command(*, prompt: str | None, argument: str | None, **others: Any) -> int:
    """Show the judged answers of the last run one by one, and write your labels to goldens/NAME.labels.jsonl.

    The judge's rubric is shown; its mark and the version that answered are not. Each label is written at once; call
    the command again to go on. 50 labels are the minimum for a trusted judge; with fewer its results do not count.

    \b
    Example:
      promptci run --prompt reply-writer           # get answers
      promptci judge label --prompt reply-writer   # press y, n, s or q
      promptci judge calibrate --prompt reply-writer
    """  # noqa: D301 - click's sign for lines that stay
    name = _choose_prompt(prompt, argument)
    if name is None:
        raise UsageError("it is not said whose answers to label", "Name a prompt by --prompt.")
    labelling = judge_labels.open_labelling(LabelRequest(prompt=name, **others))
    written, criteria = 0, ""
    for number, answer in enumerate(labelling.answers, 1):
        shown = answer if answer.criteria != criteria else replace(answer, criteria="")  # once, until it changes
        criteria = answer.criteria
        console.print_lines(_describe_answer(shown, f"{number} of {len(labelling.answers)}"))
        key = _read_key()
        if key == "q":
            break
        if key != "s":
            judge_labels.save_label(labelling.path, answer, passed=key == "y")
            written += 1
    total = labelling.labelled + written
    console.say(f"{count(written, 'new label')} in {labelling.path}, {total:,} in all")
    if total < MIN_LABELS:
        console.say(
            f"A judge needs {MIN_LABELS} labels to be trusted; {MIN_LABELS - total} are missing. Until they are there,"
            " commit none: with fewer the judge is advisory, and without any it counts, unchecked."
        )
        console.say("`promptci run --no-cache` gives new answers to label; a case can have several.")
    return 0


def _describe_answer(answer: UnlabelledAnswer, place: str) -> Iterator[StyledLine]:
    yield styled_text.line("")
    yield styled_text.line(f"{place}: {answer.case_id}", "strong")
    rows = {
        "rubric": answer.criteria or None,
        "input": answer.question,
        "expected": answer.expected,
        "answer": answer.answer,
    }
    for name, text in rows.items():
        for i, part in enumerate([] if text is None else escape.visible(text).split("\n")):
            yield styled_text.line(f"{name if i == 0 else '':10}{part}", indent=2, hang=10)


def _read_key() -> str:
    """Return y, n, s or q; a terminal needs no Enter, and a pipe gives one character a line."""
    while True:
        click.echo("Is the answer right? [y]es [n]o [s]kip [q]uit ", nl=False)
        try:
            key = click.getchar() if sys.stdin.isatty() else (sys.stdin.readline() or "q")[:1]
        except EOFError:
            key = "q"
        click.echo(key if key in KEYS else "")
        if key in KEYS:
            return key
        click.echo(f"Press one of {', '.join(KEYS)}.")


@command.command("calibrate")
@options.repository_options
@_prompt_options("Name of one prompt; default: all that have labels.")
@click.option("--head", default=".", show_default=True, help="Revision; `.` is the working tree.")
@click.option("--dry-run", is_flag=True, help="Print what it would cost; ask nothing.")
@click.option("--no-cache", "ask_again", is_flag=True, help=options.NO_CACHE)
@options.output_option("Folder for calibration.json and the journal.", Path("promptci-judge"))
@output.json_option
def calibrate_command(prompt: str | None, argument: str | None, as_json: bool, **others: object) -> int:
    """Have the judge mark answers that people have marked, and say how far it agrees with them.

    Exit code: 0 every judge is trusted, 1 some judge is not, 4 could not evaluate, 2 bad usage or files.

    \b
    Example:
      promptci judge calibrate --prompt order-extractor --dry-run
      promptci judge calibrate --prompt order-extractor
    """  # noqa: D301 - click's sign for lines that stay
    request = CheckRequest(**others)  # type: ignore[arg-type]  # click has checked and converted each
    with console.environment(console.say_beside(as_json)) as env:
        result = judge_calibration.calibrate_judges(request, env, _choose_prompt(prompt, argument))
    if as_json:
        for note in result.notes:
            console.say_progress(note)
        output.print_json(result.document)
    else:
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
