"""`promptci demo`."""

import os
from pathlib import Path

import click

from promptci.cli import console, options
from promptci.usecases.setup import demo


@click.command("demo")
@options.output_option("Folder for the demo's repository and report.", Path("promptci-demo"), at_top=False)
@click.option("--set-up", is_flag=True, help="Fetch the embedded model first where it is missing (98 MB, once).")
@click.option("--set-up-only", is_flag=True, help="Fetch the embedded model and stop.")
def command(out: Path, set_up: bool, set_up_only: bool) -> int:
    """See a regression caught: an example pull request that harms a prompt, judged with the embedded model; no key.

    \b
    Example:
      promptci demo --set-up
      promptci report promptci-demo/report/report.json --open
    """  # noqa: D301 - click's sign for lines that stay
    if set_up or set_up_only:
        console.say(f"model: {demo.fetch_model_file(os.environ)}")
    if set_up_only:
        return 0
    return demo.run_demo(out, os.environ, console.say)
