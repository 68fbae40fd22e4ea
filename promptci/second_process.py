"""A second process that does a part of the work on another core, which threads of Python cannot use."""

import gc
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, NoReturn, Self

Work = Callable[[], bytes]
"""Computes something from what is in memory, and changes nothing outside of it."""


def is_available() -> bool:
    """Return whether this process can be copied, and the copy would run at the same time.

    Not beside another thread, also one of a library: a lock that it holds would stay locked in the copy for ever.
    Elsewhere than on Linux, system libraries do not bear a copy that goes on in Python.
    """
    if sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2:
        return False
    try:
        return len(list(Path("/proc/self/task").iterdir())) == 1
    except OSError:
        return False


class SecondProcess:
    """A copy of this process that computes bytes; it ends with the context, and leaves nothing behind."""

    def __init__(self, work: Work, *, when: bool = True) -> None:
        """Begin the work, where it is worth a second process and there can be one."""
        self._pid: int | None = None
        self._output: IO[bytes] | None = None
        if when and is_available():
            self._begin(work)

    def read(self) -> bytes | None:
        """Return the result; None where the work failed or never began, so that it has to be done here."""
        if self._output is None:
            return None
        content = self._output.read()
        return content if self._wait() == 0 else None

    def __enter__(self) -> Self:
        """Return this."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process, whatever it is at."""
        if self._output is not None:
            self._output.close()
        if sys.platform != "win32" and self._pid is not None:
            os.kill(self._pid, signal.SIGKILL)
            self._wait()

    def _begin(self, work: Work) -> None:
        if sys.platform == "win32":  # where `is_available` is False
            return
        readable, writable = os.pipe()
        try:
            self._pid = os.fork()
        except OSError:  # no room for another process
            os.close(readable)
            os.close(writable)
            return
        if self._pid == 0:
            _work_and_exit(work, readable, writable)
        os.close(writable)
        self._output = os.fdopen(readable, "rb")

    def _wait(self) -> int:
        """Wait for the end of the process, and return its exit code."""
        pid, self._pid = self._pid, None
        if pid is None:
            return 1
        try:
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        except ChildProcessError:  # somebody else has waited for it
            return 1


def _work_and_exit(work: Work, readable: int, writable: int) -> NoReturn:
    """Do the work and leave without what a Python process does at its end, which is for the first one to do."""
    code = 1
    try:
        os.close(readable)
        gc.disable()  # a search for garbage would touch, and so copy, all memory
        with os.fdopen(writable, "wb") as output:
            output.write(work())
        code = 0
    finally:
        os._exit(code)
