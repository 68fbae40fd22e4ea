"""The table of commands; each is a file of its name, imported when it is called."""

import gc
import importlib
import io
import os
import re
import signal
import sys
import threading
from typing import Any

import click
from click.shell_completion import CompletionItem

import promptci
from promptci.app import error_boundary, interruption
from promptci.wording import suggest

COMMAND_GROUPS = {
    "Every day": {
        "check": "Test the prompts that a change touches against the version they replace.",
        "run": "Test prompts at one revision, without a comparison.",
        "explain": "Find out which edit of a change broke its prompts.",
        "report": "Render the report again, without asking a model.",
        "record": "Make a file of recorded answers from what a program of your own answered.",
        "diff": "Show what changed between two runs, or between two versions of a prompt.",
        "init": "Create promptci.yml, a workflow, and a prompt with goldens that runs at once.",
        "import": "Write prompts and goldens from the files of another tool.",
        "doctor": "Check the repository and its workflow for mistakes.",
        "demo": "See a regression caught, with the embedded model and no key.",
    },
    "Before you trust it": {
        "power": "Compute the smallest drop that the goldens can show, and the cost of detecting a smaller one.",
        "selftest": "Measure how often the gate blocks a change that changes nothing.",
        "goldens": "Check the golden cases themselves, and count what is in them.",
        "judge": "Measure the judges against people's labels.",
        "memory": "Show earlier runs: verdicts, how often they were correct, flaky cases.",
    },
    "After the merge": {
        "status": "Show what runs in each environment, since when, by whom, on which evidence.",
        "versions": "List the released versions of prompts, and check them.",
        "show": "Show a version of a prompt.",
        "log": "List what happened to a prompt: releases and deployments.",
        "release": "Release prompts as versions: git tags with their evidence.",
        "deploy": "Deploy a released version to an environment, to all users or as a canary.",
        "rollback": "Roll a prompt back to a release, by one commit.",
        "bundle": "Make the file with an environment's prompts that applications read.",
        "canary": "Promote, hold or roll back a canary, based on the request log.",
        "monitor": "Show what prompts do in production, from the request log.",
        "drift": "Watch deployed prompts: their model may change without a word.",
        "alerts": "Open and close alerts on the figures of the monitor.",
        "site": "Build pages that show the whole pipeline: stages, gates, evidence, people.",
        "audit": "Show and verify the audit log: who decided what, when, on which evidence.",
        "history": "Keep the branch promptci/history: fetch, append, prune, check.",
    },
    "In CI": {
        "merge": "Join the parts of a run that was split with --shard: one report, one verdict.",
        "comment": "Post the comment for a run without write permission, such as a fork's.",
    },
}
"""Every command and what `promptci --help` says of it; each is the file of its name in this folder or in FOLDERS."""
COMMANDS = {name: text for commands in COMMAND_GROUPS.values() for name, text in commands.items()}
FOLDERS = dict.fromkeys(("versions", "show", "log", "status", "release", "deploy", "bundle", "rollback"), "release.")
"""Sub-packages that hold the file of a command."""
KEYWORDS = {"import": "import_files"}
"""Files of commands whose names are words of Python."""


_NO_COMMAND = re.compile(r"No such command '(?P<name>[^']*)'")


class LazyGroup(click.Group):
    """A group that imports a command's file when the command is called, so that `--help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one command, or None when there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        module = KEYWORDS.get(cmd_name, cmd_name)
        command: click.Command = importlib.import_module(f"promptci.cli.{FOLDERS.get(cmd_name, '')}{module}").command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands that begin so, without importing any."""
        options = super(click.Group, self).shell_complete(ctx, incomplete)
        names = [name for name in COMMANDS if name.startswith(incomplete)]
        return [*(CompletionItem(name, help=COMMANDS[name]) for name in names), *options]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        width = max(map(len, COMMANDS))
        for title, commands in COMMAND_GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), text) for name, text in commands.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    invoke_without_command=True,
    epilog='Completion in bash: eval "$(_PROMPTCI_COMPLETE=bash_source promptci)"; for others see docs/commands.md.',
)
@click.version_option(promptci.__version__, prog_name="promptci")
@click.pass_context
def group(ctx: click.Context) -> int | None:
    """CI for prompts: a change that makes the answers worse does not merge.

    Without a command, promptci says what to do next in this folder.

    \b
    Example:
      promptci                # what to do next here
      promptci init           # add promptci to a repository
      promptci check          # test your uncommitted changes
      promptci check --help   # options of a command
    """  # noqa: D301 - click's sign for lines that stay
    if ctx.invoked_subcommand is not None:
        return None
    next_step = importlib.import_module("promptci.cli.next_step")
    code: int = next_step.print_next_step()
    return code


def run(arguments: list[str] | None = None) -> None:
    """Run a command and leave with its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal may not know the characters of a report. Whoever reads a pipe on Windows expects UTF-8.
            encoding = "utf-8" if sys.platform == "win32" and not stream.isatty() else None
            stream.reconfigure(errors="backslashreplace", encoding=encoding)
    if threading.current_thread() is threading.main_thread():
        # As Ctrl-C: asyncio cancels the calls in flight, and the journal is closed.
        signal.signal(signal.SIGTERM, _interrupt)
    code = error_boundary.run_guarded(lambda: _invoke(arguments), os.environ, sys.stderr)
    gc.freeze()  # the interpreter would look through everything once more before it ends
    sys.exit(code)


def _interrupt(*_: object) -> None:
    """End the run as Ctrl-C does, also in a background job, where the shell has Ctrl-C ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        interruption.interrupt()
    else:
        signal.raise_signal(signal.SIGINT)


def _suggest_command(error: click.ClickException) -> str:
    """Return which command may be meant by a name that no command of its group has; empty where none is near."""
    match = _NO_COMMAND.match(error.message)
    context = error.ctx if isinstance(error, click.UsageError) else None
    if match is None or context is None or not isinstance(context.command, click.Group):
        return ""
    return "" if "Did you mean" in error.message else suggest(match["name"], context.command.list_commands(context))


def _invoke(arguments: list[str]) -> int:
    try:
        result: Any = group.main(args=arguments, prog_name="promptci", standalone_mode=False)
    except click.ClickException as error:
        words = io.StringIO()
        error.show(words)
        if hint := _suggest_command(error):
            words.write(f"{hint}\n")
        # What was typed is repeated there.
        sys.stderr.write(error_boundary.redact(words.getvalue(), os.environ))
        return error.exit_code
    except click.Abort as abort:
        raise KeyboardInterrupt from abort
    return result if isinstance(result, int) else 0
