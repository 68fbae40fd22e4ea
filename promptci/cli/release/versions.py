"""`promptci versions`."""

from typing import Any

import click

from promptci.cli import options
from promptci.cli.release import output
from promptci.usecases.release import versions
from promptci.usecases.release.versions import VersionsRequest


@click.command("versions")
@click.argument("name", required=False)
@options.repository_options
@click.option("--remote", help="Also compare with the tags of this remote, such as `origin`.")
@output.reads_only
@output.json_option
def command(as_json: bool, **others: Any) -> int:
    """List the released versions of all prompts, or of the prompt NAME, newest first.

    Each is checked: a tag that was moved, or whose content is not what was released, is named.

    \b
    Example:
      promptci versions order-extractor
      promptci versions --remote origin --json

    Exit code: 0 all is as released, 1 a tag was moved or changed, 2 there is no release.
    """  # noqa: D301 - click's sign for lines that stay
    document = versions.list_versions(VersionsRequest(**others))
    output.print_result(document, versions.version_lines(document), as_json=as_json)
    return document.exit_code
