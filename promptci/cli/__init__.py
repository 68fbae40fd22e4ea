"""The command line: one file per command, loaded when it is called."""

import gc
import os

SELDOM = (50_000, 20, 100)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    # What a run makes it keeps to the end; looking through it for garbage at the usual pace takes a tenth of the time.
    gc.set_threshold(*SELDOM)
    # pydantic would read the metadata of every installed package to find plugins, and load them.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from promptci.cli import command_group

    command_group.run(arguments)
