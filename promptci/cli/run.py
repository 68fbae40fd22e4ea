"""`promptci run`."""

from typing import TYPE_CHECKING, Any

import click

from promptci.app.requests import RunRequest
from promptci.cli import options, result_options
from promptci.evaluation import run
from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    from promptci.usecases.reporting import gh_models_json
else:
    gh_models_json = lazy_import("promptci.usecases.reporting.gh_models_json")

GH_MODELS = "gh-models-json"


@click.command("run")
@options.repository_options
@click.option("--head", default=".", show_default=True, help="Revision to test; `.` is the working tree.")
@options.filter_options
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", GH_MODELS]),
    default="text",
    show_default=True,
    help="`gh-models-json` prints what `gh models eval --json` does, and nothing else, to stdout.",
)
@result_options.result_options
@options.ask_options
@options.shard_option
def command(head: str, output_format: str, **others: Any) -> int:
    """Test every prompt at one revision; only the absolute limits decide.

    \b
    Example:
      promptci run
      promptci run --prompt order --show all
      promptci run --head v1.2.0 --out old-report
      promptci run --format gh-models-json | jq .summary
    """  # noqa: D301 - click's sign for lines that stay
    if output_format == GH_MODELS:
        others |= {"quiet": True, "full_texts": True}
    result = result_options.take_result_options(others)
    request = RunRequest(head=head, **others)
    with result.environment() as env:
        outcome = run.run(request, env)
        if output_format == GH_MODELS:
            click.echo(gh_models_json.render_outcome(request, outcome), nl=False)
        else:
            result.print_result(outcome)
    return outcome.exit_code
