"""`promptci power`."""

from datetime import UTC, datetime

import click

from promptci.app.requests import CheckRequest
from promptci.cli import options
from promptci.cli.release import output
from promptci.usecases.trust import power
from promptci.usecases.trust.power import PowerQuestion


@click.command("power")
@options.repository_options
@click.option(
    "--head", default=".", show_default=True, help="Revision whose goldens are looked at; `.` is the working tree."
)
@options.prompts_option
@click.option(
    "--drop", type=click.FloatRange(0, 1, min_open=True), help="Drop to be seen, as a share; default: gate.max_drop."
)
@click.option(
    "--discordance",
    type=click.FloatRange(0, 1),
    help="Share of cases that change their verdict by themselves; default: as `promptci selftest` or earlier runs"
    " measured it.",
)
@options.output_option("Output folder of `promptci selftest`.")
@output.json_option
def command(
    prompts: tuple[str, ...], drop: float | None, discordance: float | None, as_json: bool, **others: object
) -> int:
    """Show how small a drop your goldens can show, and what a smaller one would cost. Asks no model.

    \b
    Example:
      promptci power
      promptci power --prompt order-extractor --drop 0.02
    """  # noqa: D301 - click's sign for lines that stay
    request = CheckRequest(**others)  # type: ignore[arg-type]  # click has checked and converted each
    question = PowerQuestion(drop=drop, discordance=discordance, prompts=prompts)
    document = power.power(request, question, datetime.now(UTC))
    output.print_result(document, power.power_lines(document), as_json=as_json)
    return 0
