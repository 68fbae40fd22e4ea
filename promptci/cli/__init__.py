"""The command line: one file per command, loaded when it is called."""

from promptci import process_setup


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    process_setup.configure_process()
    from promptci.cli import command_group

    command_group.run(arguments)
