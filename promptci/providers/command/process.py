"""Run a program over lines of input: no shell, a bounded time, memory and output, and an environment by allow-list."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from promptci.lazy_dataclass import dataclass

MAX_OUTPUT_BYTES = 256 * 2**20
MAX_ERROR_BYTES = 64 * 2**10
POLL_S = 0.02
"""Pause between two looks at whether the program has ended."""
PLAIN_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "VIRTUAL_ENV", "SYSTEMROOT")
"""Variables that every program gets, where they are set."""
_LIMITED = (
    "import os, resource, sys\n"
    "limit = int(sys.argv[1])\n"
    "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
    "if sys.platform != 'darwin':\n"
    "    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))\n"
    "try:\n"
    "    os.execvp(sys.argv[2], sys.argv[2:])\n"
    "except OSError as error:\n"
    "    sys.exit(f'{sys.argv[2]}: {error.strerror}')\n"
)
"""Sets the limits and becomes the program; a wrapper, because a hook after fork is not safe beside threads.

macOS takes no limit of addresses: each of its processes has reserved them by the hundred gigabytes.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgramLimits:
    """How much a program may take."""

    seconds: float
    memory_mb: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgramResult:
    """What became of a program."""

    output: bytes
    errors: bytes
    """The end of what it wrote to its error stream."""
    failure: str | None
    """Why its output cannot be trusted to be whole; None where it ended well."""


def select_environment(environ: Mapping[str, str], allowed: Sequence[str], revision: str) -> dict[str, str]:
    """Return the variables that a program gets: a few plain ones, and those that the configuration names."""
    names = (*PLAIN_VARIABLES, *allowed)
    return {**{name: environ[name] for name in names if name in environ}, "PROMPTCI_REVISION": revision}


async def run_program(
    words: Sequence[str], folder: Path, environ: Mapping[str, str], data: bytes, limits: ProgramLimits
) -> ProgramResult:
    """Run a program in a folder with `data` on its standard input; it and all it started are gone afterwards.

    Its memory is limited on Linux alone. On Windows what it started itself may stay.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *_command(words, limits), cwd=folder, env=dict(environ), start_new_session=True,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
    except OSError as error:
        return ProgramResult(output=b"", errors=b"", failure=f"{words[0]}: {error.strerror}")
    output, errors = bytearray(), bytearray()
    failure: str | None = None
    try:
        async with asyncio.timeout(limits.seconds):
            _, is_whole, _, _ = await asyncio.gather(
                _feed(process.stdin, data),
                _collect(process.stdout, output, process),
                _collect_end(process.stderr, errors),
                _end_with(process),
            )
            if not is_whole:
                failure = f"it wrote more than {MAX_OUTPUT_BYTES // 2**20} MB"
    except TimeoutError:
        failure = f"it was not done after {limits.seconds:g} s (`provider.run_time`)"
    finally:
        _kill_group(process)
        await process.wait()
    if failure is None and process.returncode:
        failure = f"it ended with exit code {process.returncode}"
    return ProgramResult(output=bytes(output), errors=bytes(errors), failure=failure)


def _command(words: Sequence[str], limits: ProgramLimits) -> Sequence[str]:
    if sys.platform == "win32":
        return words
    return [sys.executable, "-I", "-c", _LIMITED, str(limits.memory_mb * 2**20), *words]


async def _feed(stream: asyncio.StreamWriter | None, data: bytes) -> None:
    if stream is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # a program may end without reading everything
        stream.write(data)
        await stream.drain()
    stream.close()


async def _end_with(process: asyncio.subprocess.Process) -> None:
    """End what the program started as soon as it has ended itself: it may hold the streams open."""
    while process.returncode is None:  # noqa: ASYNC110 - wait() may also wait for the streams
        await asyncio.sleep(POLL_S)
    _kill_group(process)


async def _collect(stream: asyncio.StreamReader | None, into: bytearray, process: asyncio.subprocess.Process) -> bool:
    """Read a stream to its end; return whether that was within bounds. A program that writes more is ended."""
    while stream is not None and (piece := await stream.read(2**16)):
        into += piece
        if len(into) > MAX_OUTPUT_BYTES:
            _kill_group(process)
            return False
    return True


async def _collect_end(stream: asyncio.StreamReader | None, into: bytearray) -> None:
    while stream is not None and (piece := await stream.read(2**16)):
        into += piece
        del into[:-MAX_ERROR_BYTES]


def _kill_group(process: asyncio.subprocess.Process) -> None:
    """End the program, and what it started and left behind."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
