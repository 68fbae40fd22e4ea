"""`promptci diff`."""

from pathlib import Path

import click

from promptci.cli import console, options
from promptci.cli.release import output
from promptci.errors import UsageError
from promptci.usecases.release import version_diff
from promptci.usecases.release.version_diff import VersionDiffRequest
from promptci.usecases.reporting import diff
from promptci.usecases.reporting.diff import Format


@click.command("diff")
@click.argument("operands", nargs=-1, metavar="FIRST SECOND | NAME A B")
@options.repository_options
@click.option(
    "--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True, help="Form."
)
@output.reads_only
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(operands: tuple[str, ...], root: Path, config_path: str, form: Format, as_json: bool) -> int:
    """Show what changed between two runs, or between two versions of a prompt.

    FIRST and SECOND are report.json files. The versions under test are compared, over the cases that have the same text
    and judge in both. Where another model answered, or no case is shared, the numbers are not set beside each other,
    and the reason is given.

    NAME A B compares the versions A and B of a prompt: model, variables, parameters, messages. A version is a release,
    a tag, a commit, or `.` for the working tree.

    \b
    Example:
      promptci diff yesterday/report.json promptci-report/report.json
      promptci diff order-extractor v1.2.0 v1.3.0
      promptci diff order-extractor v1.3.0 .
    """  # noqa: D301 - click's sign for lines that stay
    form = "json" if as_json else form
    if len(operands) == 3:
        prompt, before, after = operands
        request = VersionDiffRequest(root=root, config_path=config_path, prompt=prompt, before=before, after=after)
        difference = version_diff.diff_versions(request)
        if form == "json":
            click.echo(difference.dump(), nl=False)
            return 0
        lines = version_diff.diff_lines(difference)
        if form == "text":
            console.print_lines(lines)
            return 0
        for text in ("```diff", *(line.text for line in lines), "```"):
            console.say(text)
        return 0
    if len(operands) != 2:
        raise UsageError("It is not clear what to compare", "Name two report.json files, or a prompt and two versions.")
    for path in operands:
        if not Path(path).is_file():
            raise UsageError(f"There is no file `{path}`", "To compare versions, name the prompt first: NAME A B.")
    with console.environment() as env:
        text = diff.diff_runs(Path(operands[0]), Path(operands[1]), form, env)
        for line in text.splitlines():
            console.say(line)
    return 0
