"""`promptci history`."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from promptci.cli import console, options
from promptci.cli.release import output
from promptci.errors import InputError, Problem
from promptci.history.branch_records import MAX_UNPACKED_BYTES
from promptci.usecases.monitoring import history_branch
from promptci.usecases.monitoring.history_branch import HistoryDocument, HistoryRequest


@click.group("history")
def command() -> None:
    """Keep the branch promptci/history: records of nights, canaries, alerts and decisions.

    The branch is never checked out, and the gate never reads it. What `check` remembers between runs is another
    thing: `promptci memory`.

    \b
    Example:
      promptci history fetch
      promptci history check
    """  # noqa: D301 - click's sign for lines that stay


remote_option = click.option("--remote", default="origin", show_default=True, help="Remote with the branch.")


def _finish(document: HistoryDocument, last_line: str, *, as_json: bool) -> int:
    output.print_result(document, history_branch.history_lines(document), as_json=as_json)
    if last_line and not as_json:
        console.say(last_line)
    return document.exit_code


@command.command("fetch")
@options.repository_options
@remote_option
@output.dry_run_option
@output.json_option
def fetch_command(as_json: bool, config_path: str, **others: Any) -> int:
    """Fetch the branch and count its lines; a shallow clone gets its last commit only.

    \b
    Example:
      promptci history fetch

    Exit code: 0 fetched, or there is none yet, 4 it cannot be fetched, or was rewritten or deleted.
    """  # noqa: D301 - click's sign for lines that stay
    return _finish(history_branch.fetch_history(HistoryRequest(**others)), "", as_json=as_json)


@command.command("append")
@options.repository_options
@remote_option
@output.dry_run_option
@output.json_option
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path, allow_dash=True))
def append_command(file: Path, as_json: bool, config_path: str, **others: Any) -> int:
    """Add the lines of FILE (-: standard input) to the branch, and push it.

    Each line goes to the file of the kind whose schema it names, and of its day. A line that is there is not added
    twice. Where somebody else pushes at the same time, the lines are added on top of theirs.

    \b
    Example:
      promptci history append night.jsonl

    Exit code: 0 added, or all there, 4 a line is invalid (then none is added), or the branch cannot be pushed.
    """  # noqa: D301 - click's sign for lines that stay
    data = _read(file)
    document = history_branch.append_history(HistoryRequest(**others), data, str(file))
    return _finish(document, history_branch.result_line(document), as_json=as_json)


@command.command("prune")
@options.repository_options
@remote_option
@output.dry_run_option
@output.json_option
def prune_command(as_json: bool, config_path: str, **others: Any) -> int:
    """Delete nights and canaries after three years and answers after 35 nights, and push it.

    A canary that ended is thinned to 200 lines. Audit, alerts and months are kept for ever. It is one commit more:
    nothing is rewritten, and earlier commits still hold what was deleted.

    \b
    Example:
      promptci history prune --dry-run

    Exit code: 0 pruned, or nothing to do, 4 the branch cannot be pushed.
    """  # noqa: D301 - click's sign for lines that stay
    document = history_branch.prune_history(HistoryRequest(**others), datetime.now(UTC))
    return _finish(document, history_branch.result_line(document), as_json=as_json)


@command.command("check")
@options.repository_options
@remote_option
@output.reads_only
@output.json_option
def check_command(as_json: bool, config_path: str, **others: Any) -> int:
    """Check every line of this clone's copy of the branch by its schema, and the sizes; without network.

    `promptci audit verify` checks the chain of the audit log.

    \b
    Example:
      promptci history fetch
      promptci history check --json

    Exit code: 0 all valid, 1 something is not, 2 there is no branch here.
    """  # noqa: D301 - click's sign for lines that stay
    document = history_branch.check_history(HistoryRequest(**others))
    return _finish(document, "" if document.problems else "every line is valid", as_json=as_json)


def _read(file: Path) -> bytes:
    try:
        data = sys.stdin.buffer.read(MAX_UNPACKED_BYTES + 1) if str(file) == "-" else file.read_bytes()
    except OSError as error:
        problem = Problem(path=str(file), message=f"it cannot be read: {error.strerror}", hint="Look at the path.")
        raise InputError([problem]) from error
    if len(data) > MAX_UNPACKED_BYTES:
        message = f"it is larger than {MAX_UNPACKED_BYTES // 2**20} MiB"
        raise InputError([Problem(path=str(file), message=message, hint="Append it in parts.")])
    return data
