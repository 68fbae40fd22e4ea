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
    "resource.setrlimit(resource.RLIMIT_AS, (limit, limit))\n"
    "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
    "try:\n"
    "    os.execvp(sys.argv[2], sys.argv[2:])\n"
    "except OSError as error:\n"
    "    sys.exit(f'{sys.argv[2]}: {error.strerror}')\n"
)
"""Sets the limits and becomes the program; a wrapper, because a hook after fork is not safe beside threads."""


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
    """Run a program in a folder with `data` on its standard input; it and all it started are gone afterwards."""
    limit = str(limits.memory_mb * 2**20)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-c", _LIMITED, limit, *words,
        cwd=folder, env=dict(environ), start_new_session=True,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = bytearray(), bytearray()
    failure: str | None = None
    try:
        async with asyncio.timeout(limits.seconds):
            _, is_whole, _, _ = await asyncio.gather(
                _feed(process.stdin, data),
                _collect(process.stdout, output, process.pid),
                _collect_end(process.stderr, errors),
                _end_with(process),
            )
            if not is_whole:
                failure = f"it wrote more than {MAX_OUTPUT_BYTES // 2**20} MB"
    except TimeoutError:
        failure = f"it was not done after {limits.seconds:g} s (`provider.run_time`)"
    finally:
        _kill_group(process.pid)
        await process.wait()
    if failure is None and process.returncode:
        failure = f"it ended with exit code {process.returncode}"
    return ProgramResult(output=bytes(output), errors=bytes(errors), failure=failure)


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
    _kill_group(process.pid)


async def _collect(stream: asyncio.StreamReader | None, into: bytearray, pid: int) -> bool:
    """Read a stream to its end; return whether that was within bounds. A program that writes more is ended."""
    while stream is not None and (piece := await stream.read(2**16)):
        into += piece
        if len(into) > MAX_OUTPUT_BYTES:
            _kill_group(pid)
            return False
    return True


async def _collect_end(stream: asyncio.StreamReader | None, into: bytearray) -> None:
    while stream is not None and (piece := await stream.read(2**16)):
        into += piece
        del into[:-MAX_ERROR_BYTES]


def _kill_group(pid: int) -> None:
    """End what the program started and left behind."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
