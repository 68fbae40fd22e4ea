"""`promptci merge`."""

from pathlib import Path

import click

from promptci.app.requests import CheckRequest
from promptci.cli import console, options
from promptci.usecases.reporting import merge


@click.command("merge")
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--repo",
    "root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="The git repository, with the commits that the shards were about; default: here.",
)
@click.option("--json", "as_json", is_flag=True, help="Print report.json and nothing else to stdout.")
@options.output_option("Folder for the report.")
def command(folders: tuple[Path, ...], root: Path, out: Path, *, as_json: bool) -> int:
    """Join the parts of a run that was split with `--shard` and decide, as the whole run would have.

    FOLDERS hold what the shards wrote (shard.json and journal.jsonl), each or one level below. A model is asked only
    what no shard asks: the labels and the probes by which a judge is measured. The exit codes are those of `check`.

    \b
    Example:
      promptci check --shard 1/2 --out part-1    # on two machines
      promptci merge part-1 part-2 --out promptci-report
    """  # noqa: D301 - click's sign for lines that stay
    with console.environment(console.say_beside(as_json)) as env:
        outcome = merge.merge_standalone(folders, CheckRequest(root=root, out=out), env)
        if as_json:
            console.print_json(outcome)
        else:
            console.print_result(outcome)
    return outcome.exit_code
