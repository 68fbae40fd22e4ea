"""`promptci goldens`."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from promptci.cli import options
from promptci.cli.options import Command
from promptci.cli.release import output
from promptci.documents.written_files import WrittenFiles
from promptci.redact import Redactor
from promptci.usecases.goldens import from_log, golden_sets
from promptci.usecases.goldens.from_log import LogSource
from promptci.usecases.goldens.golden_sets import GoldensRequest
from promptci.wording import count


def _selection_options(command: Command) -> Command:
    """Add whose goldens are meant, and how the result is printed."""
    command = options.prompts_option(output.reads_only(output.json_option(command)))
    command = click.option("--head", default=".", show_default=True, help="Revision; `.` is the working tree.")(command)
    return options.repository_options(command)


@click.group("goldens")
def command() -> None:
    """Check the golden cases themselves, count what is in them, and add some from production.

    \b
    Example:
      promptci goldens lint
      promptci goldens stats
      promptci goldens add --from requests.jsonl --line 17 --prompt order-extractor
    """  # noqa: D301 - click's sign for lines that stay


@command.command("lint")
@_selection_options
def lint_command(*, as_json: bool, **selection: Any) -> int:
    """Find duplicates, near duplicates, answers that stand in the prompt, unbalanced labels, keys and personal data.

    Also cases that cannot be asked, for example for lack of a variable, and cases that no version of the prompt ever
    failed, where earlier runs left a memory.

    Exit code: 0 without findings, 1 with some, 4 there are no golden cases.

    \b
    Example:
      promptci goldens lint --prompt order-extractor
    """  # noqa: D301 - click's sign for lines that stay
    linted = golden_sets.lint(GoldensRequest(**selection), datetime.now(UTC))
    document = linted.redacted(Redactor.from_environ(os.environ))
    output.print_result(document, golden_sets.lint_lines(document), as_json=as_json)
    return int(bool(document.findings))


@command.command("stats")
@_selection_options
def stats_command(*, as_json: bool, **selection: Any) -> int:
    """Count cases, assertions, tags, expected answers and lengths of variables, prompt by prompt.

    \b
    Example:
      promptci goldens stats --json
    """  # noqa: D301 - click's sign for lines that stay
    document = golden_sets.count_goldens(GoldensRequest(**selection)).redacted(Redactor.from_environ(os.environ))
    output.print_result(document, golden_sets.stats_lines(document), as_json=as_json)
    return 0


def _log_options(command: Command) -> Command:
    """Add the log, and whose requests in it are meant."""
    log = click.option(
        "--from", "logs", type=click.Path(path_type=Path, dir_okay=False, exists=True), multiple=True, required=True,
        metavar="FILE", help="Log with inputs, one JSON object on each line; may be given several times.",
    )  # fmt: skip
    prompt = click.option("--prompt", required=True, help="Name of the prompt.")
    return options.repository_options(log(prompt(command)))


@command.command("add")
@_log_options
@click.option("--line", type=click.IntRange(min=1), help="Number of the line in the log.")
@click.option("--request", help="Id of the request in the log.")
@click.option("--expected", help="The right answer; without it, any answer but the logged one will do.")
@output.dry_run_option
@output.json_option
def add_command(
    *, as_json: bool, logs: tuple[Path, ...], prompt: str, root: Path, config_path: str, **case: Any
) -> int:
    """Make a golden case of a request in the log that went wrong, without keys and personal data.

    \b
    Example:
      promptci goldens add --from requests.jsonl --line 17 --prompt order-extractor --expected GH-17
    """  # noqa: D301 - click's sign for lines that stay
    redactor = Redactor.from_environ(os.environ)
    source = LogSource(root=root, config_path=config_path, logs=logs, prompt=prompt)
    path, added = from_log.add_case(source, redactor, **case)
    notes = [json.dumps(added, ensure_ascii=False)]
    written = WrittenFiles(files=[str(path)], notes=notes, dry_run=case["dry_run"])
    output.print_result(written, written.lines(), as_json=as_json)
    return 0


@command.command("sample")
@_log_options
@output.reads_only
@click.option("--size", type=click.IntRange(1, 1000), default=20, show_default=True, help="Cases to draw.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed draws others.")
def sample_command(*, size: int, seed: int, **source: Any) -> int:
    """Draw different requests from the log, of every version, length and outcome, as cases without an answer.

    They are printed as lines of a golden file: look at them, add `expected` or `assert`, and remove what is no case.

    \b
    Example:
      promptci goldens sample --from requests.jsonl --prompt order-extractor > candidates.jsonl
    """  # noqa: D301 - click's sign for lines that stay
    cases = from_log.sample_log(LogSource(**source), Redactor.from_environ(os.environ), size=size, seed=seed)
    for case in cases:
        click.echo(json.dumps(case, ensure_ascii=False))
    if len(cases) < size:
        click.echo(f"The log has {count(len(cases), 'different input')} that the golden set lacks.", err=True)
    return 0
