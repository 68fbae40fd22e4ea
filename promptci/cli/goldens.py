"""`promptci goldens`."""

import os
from collections.abc import Iterable
from pathlib import Path

import click

from promptci.cli import console, options
from promptci.documents.document import Document
from promptci.redact import Redactor
from promptci.usecases.goldens import golden_sets
from promptci.usecases.goldens.golden_sets import GoldensRequest


@click.group("goldens")
def command() -> None:
    """Check the golden cases themselves, and count what is in them."""


@command.command("lint")
@options.repository_options
@click.option("--head", default=".", show_default=True, help="Revision; `.` is the working tree.")
@click.option("--prompt", "prompts", multiple=True, help="Name of a prompt, may be given several times; default: all.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def lint_command(root: Path, config_path: str, head: str, prompts: tuple[str, ...], *, as_json: bool) -> int:
    """Find duplicates, near duplicates, answers that stand in the prompt, unbalanced labels, keys and personal data.

    Exit code: 0 without findings, 1 with some.
    """
    document = golden_sets.lint(GoldensRequest(root=root, config_path=config_path, head=head, prompts=prompts))
    _print(document, golden_sets.lint_lines(document), as_json=as_json)
    return int(bool(document.findings))


@command.command("stats")
@options.repository_options
@click.option("--head", default=".", show_default=True, help="Revision; `.` is the working tree.")
@click.option("--prompt", "prompts", multiple=True, help="Name of a prompt, may be given several times; default: all.")
@click.option("--json", "as_json", is_flag=True, help="Print the numbers as JSON.")
def stats_command(root: Path, config_path: str, head: str, prompts: tuple[str, ...], *, as_json: bool) -> int:
    """Count cases, assertions, tags, expected answers and lengths of variables, prompt by prompt."""
    document = golden_sets.count_goldens(GoldensRequest(root=root, config_path=config_path, head=head, prompts=prompts))
    _print(document, golden_sets.stats_lines(document), as_json=as_json)
    return 0


def _print(document: Document, lines: Iterable[str], *, as_json: bool) -> None:
    if as_json:
        click.echo(Redactor.from_environ(os.environ).redact(document.dump()), nl=False)
        return
    for line in lines:
        console.say(line)
