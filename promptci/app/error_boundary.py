"""The error boundary of every door: an error becomes a message and an exit code; a traceback is our fault."""

import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from promptci import __version__
from promptci.errors import PromptciError
from promptci.publish.runner.workflow_commands import safe_line
from promptci.redact import Redactor

INTERRUPTED = 130
INTERNAL_ERROR_EXIT = 4
"""The exit code of the verdict `error`: a fault of ours is never green."""


def run_guarded(action: Callable[[], int], environ: Mapping[str, str], stderr: TextIO) -> int:
    """Run a door's work and give the exit code; what went wrong is printed, redacted, to `stderr`."""
    redactor = Redactor.from_environ(environ)
    try:
        return action()
    except PromptciError as error:
        _say(f"promptci: {error}", redactor, stderr)
        return error.exit_code
    except KeyboardInterrupt:
        _say("promptci: interrupted. What was answered so far is in the journal.", redactor, stderr)
        return INTERRUPTED
    except Exception:  # noqa: BLE001 - the one catch-all: whatever it is, the user gets words, and the log gets the rest
        log = write_bug_report(redactor.redact(traceback.format_exc()))
        _say(
            f"promptci: this is our fault, not your prompt's. It is written down in {log}; please report it.",
            redactor,
            stderr,
        )
        return INTERNAL_ERROR_EXIT


def write_bug_report(trace: str) -> Path:
    """Write a ready-made bug report and give its path."""
    descriptor, name = tempfile.mkstemp(prefix="promptci-error-", suffix=".txt")
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"promptci {__version__}, Python {sys.version}\n\n{trace}")
    return Path(name)


def _say(text: str, redactor: Redactor, stderr: TextIO) -> None:
    stderr.writelines(safe_line(line) + "\n" for line in redactor.redact(text).splitlines())
