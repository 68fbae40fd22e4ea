"""`promptci import`."""

from pathlib import Path

import click

from promptci.cli.release import output
from promptci.usecases.setup import import_promptfoo


@click.group("import")
def command() -> None:
    """Write prompts and goldens from the files of another tool.

    \b
    Example:
      promptci import promptfoo promptfooconfig.yaml
    """  # noqa: D301 - click's sign for lines that stay


@command.command("promptfoo")
@click.argument("config_path", metavar="[FILE]", default="promptfooconfig.yaml")
@click.option(
    "--repo",
    "root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="A folder of the git repository; default: here.",
)
@output.dry_run_option
@output.json_option
def promptfoo_command(*, config_path: str, root: Path, dry_run: bool, as_json: bool) -> int:
    """Write prompts/NAME.prompt.yml and goldens/NAME.jsonl from promptfooconfig.yaml; nothing in it is run.

    What promptci does not have is named and left out.

    \b
    Example:
      promptci import promptfoo
      promptci import promptfoo evals/promptfooconfig.yaml
    """  # noqa: D301 - click's sign for lines that stay
    result = import_promptfoo.import_promptfoo(root, config_path, dry_run=dry_run)
    written = import_promptfoo.describe_import(result, dry_run=dry_run)
    output.print_result(written, written.lines(), as_json=as_json)
    return 0
