"""`promptci bundle`."""

from pathlib import Path
from typing import Any

import click

from promptci.cli import options
from promptci.cli.release import output
from promptci.usecases.release import bundle
from promptci.usecases.release.bundle import BundleRequest


@click.command("bundle")
@options.repository_options
@output.environment_option
@click.option("--rev", "revision", default="HEAD", show_default=True, help="Commit of the default branch.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; default: dist/ENVIRONMENT.bundle.json in the repository.",
)
@click.option("--sign", is_flag=True, help="Sign it with an SSH key; writes FILE.sig beside it.")
@click.option(
    "--key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="SSH key to sign with; default: git's `user.signingkey`.",
)
@output.dry_run_option
@output.json_option
def command(as_json: bool, **others: Any) -> int:
    """Make the bundle of an environment, which applications read with the runtime.

    It is made of a commit, not of the working tree: of the versions that deployments/ENVIRONMENT.yml names there. A
    version whose content is not what was released is refused. The same commit gives the same bytes.

    \b
    Example:
      promptci bundle --env production --out dist/production.bundle.json
      promptci bundle --env production --sign --key ~/.ssh/release_key

    Exit code: 0 made, 2 the deployment file or the command line is wrong, 4 a version cannot be read.
    """  # noqa: D301 - click's sign for lines that stay
    summary = bundle.make_bundle(BundleRequest(**others))
    output.print_result(summary, bundle.summary_lines(summary), as_json=as_json)
    return 0
