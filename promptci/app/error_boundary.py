"""The error boundary of every entry point: an error becomes a message and an exit code, a defect a bug report."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING, TextIO

from promptci import __version__
from promptci.errors import PromptciError
from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping
    from pathlib import Path
else:
    asyncio = lazy_import("asyncio")

INTERRUPTED = 130
INTERNAL_ERROR_EXIT = 4
"""The exit code of the verdict `error`: a defect of promptci is never green."""
FILE_FAULTS = frozenset(
    {
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.EEXIST,
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ENAMETOOLONG,
        errno.ELOOP,
        errno.ENOSPC,
        errno.EDQUOT,
    }
)
"""What is wrong with a path or a disk, and no defect of promptci."""
LIBRARIES = ("aiohttp", "click", "jinja2", "numpy", "openai", "pydantic", "PyGithub")
"""Their versions go into a bug report."""


def run_guarded(action: Callable[[], int], environ: Mapping[str, str], stderr: TextIO) -> int:
    """Run an entry point's work and return the exit code; print what went wrong, redacted, to `stderr`."""
    try:
        return action()
    except PromptciError as error:
        _print(f"promptci: {error}", environ, stderr)
        return error.exit_code
    except (KeyboardInterrupt, asyncio.CancelledError):
        _print("promptci: interrupted. The answers so far are in the journal.", environ, stderr)
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the one catch-all: the user gets a message, the bug report the rest
        if (fault := describe_file_fault(error)) is not None:
            _print(f"promptci: {fault}", environ, stderr)
            return INTERNAL_ERROR_EXIT
        import traceback

        report = redact(describe_bug(traceback.format_exc()), environ)
        _print(
            f"Internal error in promptci (not your prompt). Details in {write_bug_report(report)}. Please report it.",
            environ,
            stderr,
        )
        if environ.get("GITHUB_ACTIONS") == "true":  # the container and its files are gone when the job ends
            stderr.write("::group::Details of the internal error\n")
            _print(report, environ, stderr)
            stderr.write("::endgroup::\n")
        return INTERNAL_ERROR_EXIT


def describe_file_fault(error: Exception) -> str | None:
    """Return what is wrong with a file that was to be read or written; None for any other error."""
    if not isinstance(error, OSError) or error.errno not in FILE_FAULTS:
        return None
    reason = error.strerror or "the system refuses it"
    if error.filename is not None:
        name = os.fsdecode(error.filename)
        return f"`{name}` cannot be read or written: {reason}. Check the path and its permissions."
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:  # it names no file
        return f"A file cannot be written: {reason}. Make room on the disk, or write elsewhere."
    return None


def describe_bug(trace: str) -> str:
    """Return the text of a bug report: versions and the traceback."""
    import platform

    lines = [
        f"promptci {__version__}",
        f"Python {sys.version}",
        f"platform {platform.platform()}",
        *(f"{name} {_version(name)}" for name in LIBRARIES),
    ]
    return "\n".join(lines) + f"\n\n{trace}"


def write_bug_report(text: str) -> Path | str:
    """Write a bug report to a temporary file and return its path; if that is impossible, say so."""
    import tempfile
    from pathlib import Path

    try:
        descriptor, name = tempfile.mkstemp(prefix="promptci-error-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError:
        sys.stderr.write(text)
        return "the lines above"
    return Path(name)


def _version(distribution: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"


def redact(text: str, environ: Mapping[str, str]) -> str:
    """Return the text without the secrets of the environment."""
    from promptci.redact import Redactor

    return Redactor.from_environ(environ).redact(text)


def _print(text: str, environ: Mapping[str, str], stderr: TextIO) -> None:
    from promptci.publish.runner.workflow_commands import safe_line

    stderr.writelines(safe_line(line) + "\n" for line in redact(text, environ).splitlines())
