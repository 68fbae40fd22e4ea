"""`promptci report`."""

from pathlib import Path

import click

from promptci.cli import console, options
from promptci.cli.figures_option import figures_option
from promptci.usecases.reporting import report


@click.command("report")
@click.argument(
    "source",
    type=options.LastReport(),
    default=options.LAST_REPORT,
)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the report; default: beside the source."
)
@click.option(
    "--repo",
    "root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="The git repository, needed for a journal only.",
)
@figures_option
@click.option("--json", "as_json", is_flag=True, help="Print report.json and nothing else to stdout.")
@click.option("--open", "look", is_flag=True, help="Open the page in the browser.")
def command(*, source: Path, out: Path | None, root: Path, figures: tuple[str, ...], look: bool, as_json: bool) -> int:
    """Render the report again from SOURCE, a report.json or a journal.jsonl(.gz), without asking a model.

    SOURCE defaults to the last run, promptci-report/report.json. With --open, the exit code is 0 whatever the verdict.

    \b
    Example:
      promptci report --open
      promptci report promptci-report/report.json --figures png,pdf
    """  # noqa: D301 - click's sign for lines that stay
    with console.environment(console.say_beside(as_json)) as env:
        outcome = report.redraw_report(source, out or source.parent, root, env)
        if as_json:
            console.print_json(outcome)
        else:
            console.print_result(outcome)
        for path in report.write_figures(outcome, figures):
            click.echo(f"Figure: {path}", err=as_json)
        if look and outcome.paths is not None:
            console.open_in_browser(outcome.paths.html)
            return 0  # the page was shown, which is all that was asked for
    return outcome.exit_code
