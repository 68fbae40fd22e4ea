"""`promptci power`."""

import click

from promptci.app.requests import CheckRequest
from promptci.cli import console, options
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
def command(prompts: tuple[str, ...], drop: float | None, discordance: float | None, **others: object) -> int:
    """Show how small a drop your goldens can show, and what a smaller one would cost. Asks no model.

    \b
    Example:
      promptci power
      promptci power --prompt order-extractor --drop 0.02
    """  # noqa: D301 - click's sign for lines that stay
    request = CheckRequest(**others)  # type: ignore[arg-type]  # click has checked and converted each
    with console.environment() as env:
        power.power(request, PowerQuestion(drop=drop, discordance=discordance, prompts=prompts), env)
    return 0
