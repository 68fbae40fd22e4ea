"""`promptci release`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from promptci.cli import options
from promptci.cli.release import output
from promptci.registry.number import BUMPS
from promptci.usecases.release import release
from promptci.usecases.release.release import ReleaseRequest


@click.command("release")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@options.repository_options
@click.option("--changed", is_flag=True, help="Every prompt whose content was not released yet.")
@click.option("--rev", "revision", default="HEAD", show_default=True, help="Commit to release.")
@click.option("--bump", type=click.Choice(BUMPS), help="Part of the number to raise; default: by what changed.")
@click.option("--because", default="", help="Release without a passing result, for this reason; it stays in the tag.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="report.json that shows the result; default: promptci-report/report.json, and earlier checks.",
)
@click.option("--pull-request", default="", metavar="NUMBER", help="Kept in the tag.")
@click.option("--proposed-by", default="", metavar="LOGIN", help="Kept in the tag.")
@click.option("--approved-by", multiple=True, metavar="LOGIN", help="Kept in the tag; may be given several times.")
@click.option("--push", is_flag=True, help="Push the tag; where somebody was faster, take the next number.")
@click.option("--remote", default="origin", show_default=True, help="Where to push to.")
@output.dry_run_option
@output.json_option
def command(as_json: bool, **others: Any) -> int:
    """Release prompts: one annotated git tag each, prompts/NAME/v1.2.0, signed where your git signs.

    A version needs a passing result of `promptci check` or `promptci run` for its very content. The number is suggested
    by what changed: model or variables a major one, messages, parameters or response format a minor one. Nothing is
    tagged where one prompt is refused.

    \b
    Example:
      promptci release order-extractor --dry-run
      promptci release --changed --push --pull-request 247 --approved-by alice
      promptci release order-extractor --because "hotfix, checked by hand"

    Exit code: 0 released, or nothing to release, 1 refused, 2 no such prompt, 4 git or a file fails.
    """  # noqa: D301 - click's sign for lines that stay
    summary = release.release(ReleaseRequest(today=datetime.now(UTC).date(), **others))
    output.print_result(summary, release.summary_lines(summary), as_json=as_json)
    return summary.exit_code
