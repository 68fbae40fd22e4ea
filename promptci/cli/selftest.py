"""`promptci selftest`."""

import sys

import click

from promptci.app.requests import CheckRequest
from promptci.cli import console, options
from promptci.cli.release import output
from promptci.gates.selftest import aa_test, selftest_document
from promptci.usecases.trust import selftest
from promptci.usecases.trust.selftest import SelfTestSettings


@click.command("selftest")
@options.repository_options
@click.option(
    "--head", default=".", show_default=True, help="Revision whose prompts are asked; `.` is the working tree."
)
@options.prompts_option
@click.option("--answers", type=click.IntRange(min=2), help="Answers to each case; default: what two versions need.")
@click.option("--simulations", type=click.IntRange(100, 100_000), default=aa_test.SIMULATIONS, show_default=True)
@click.option("--yes", is_flag=True, help="Spend without asking.")
@options.ask_options
@output.json_option
def command(
    prompts: tuple[str, ...], answers: int | None, simulations: int, yes: bool, as_json: bool, **others: object
) -> int:
    """Measure how often your gate would block a change that changes nothing.

    Asks each case several times (an A/A run, the price is said first), deals the answers out to two versions that are
    the same, a few thousand times, and puts each such pull request to your gate. Says the rate of false alarms, how
    many cases change their verdict by themselves, and the smallest drop your goldens can show.

    \b
    Example:
      promptci selftest --dry-run                  # what it costs
      promptci selftest --prompt order-extractor --yes
    """  # noqa: D301 - click's sign for lines that stay
    request = CheckRequest(**others)  # type: ignore[arg-type]  # click has checked and converted each
    with console.environment(console.say_beside(as_json)) as env:
        settings = SelfTestSettings(
            prompts=prompts,
            answers=answers,
            simulations=simulations,
            confirm=lambda price: yes or (sys.stdin.isatty() and click.confirm(price, err=as_json)),
        )
        results = selftest.selftest(request, settings, env)
    if as_json:
        output.print_json(selftest_document.load_results(request.out / selftest_document.FILE, results))
    return 0
