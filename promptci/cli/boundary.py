"""The error boundary: every error becomes a message for the reader and an exit code; a traceback means our own fault."""

import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

import click

from promptci import __version__
from promptci.errors import PromptciError
from promptci.publish.workflow import safe_line
from promptci.redact import Redactor, from_environ

INTERRUPTED = 130
OWN_FAULT = 4
"""The exit code of the verdict `error`: a fault of ours is never green."""


def run(action: Callable[[], int]) -> int:
    """Run a door's work and give the exit code; print what went wrong, redacted, to standard error."""
    redactor = from_environ(os.environ)
    try:
        return action()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except PromptciError as error:
        _say(f"promptci: {error}", redactor)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        _say("promptci: interrupted. What was answered so far is in the journal.", redactor)
        return INTERRUPTED
    except Exception:  # noqa: BLE001 - the one catch-all: whatever it is, the user gets words, and the log gets the rest
        log = write_log(redactor.text(traceback.format_exc()))
        _say(f"promptci: this is our fault, not your prompt's. The details are in {log}; please report them.", redactor)
        return OWN_FAULT


def write_log(trace: str) -> Path:
    """Write a ready-made bug report and give its path."""
    descriptor, name = tempfile.mkstemp(prefix="promptci-error-", suffix=".txt")
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"promptci {__version__}, Python {sys.version}\n\n{trace}")
    return Path(name)


def _say(text: str, redactor: Redactor) -> None:
    for line in redactor.text(text).splitlines():
        click.echo(safe_line(line), err=True)
