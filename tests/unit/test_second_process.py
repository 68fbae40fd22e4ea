"""Work in a second process: its result, its failure, its end. Each in a fresh process: tests run beside threads."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from promptci import second_process
from promptci.second_process import SecondProcess

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all work is done in one process")
PRELUDE = """
import os, signal, sys, threading, time
from promptci import second_process
from promptci.second_process import SecondProcess
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background jobs ignore it
os.sched_getaffinity = lambda _: {0, 1}

def children():
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return file.read().split()
"""


def run(program: str) -> str:
    words = [sys.executable, "-c", PRELUDE + textwrap.dedent(program)]
    done = subprocess.run(words, capture_output=True, check=False, text=True, timeout=60)
    assert done.stderr == ""
    return done.stdout.strip()


def test_the_work_is_done_elsewhere_and_leaves_nothing() -> None:
    assert (
        run("""
        me = os.getpid()
        with SecondProcess(lambda: b"%d" % (os.getpid() != me) * 300_000) as second:
            print(second.read() == b"1" * 300_000, children())
    """)
        == "True []"
    )


@pytest.mark.parametrize("work", ["1 / 0", "sys.exit(0)", "os.kill(os.getpid(), 9)", "signal.raise_signal(2)"])
def test_work_that_fails_has_no_result_and_prints_nothing(work: str) -> None:
    assert (
        run(f"""
        print("once")  # buffered when the process is copied
        with SecondProcess(lambda: {work} or b"x") as second:
            print(second.read(), children())
    """)
        == "once\nNone []"
    )


def test_an_error_or_ctrl_c_ends_the_second_process() -> None:
    assert (
        run("""
        try:
            with SecondProcess(lambda: time.sleep(60) or b"") as second:
                print(len(children()))
                os.kill(os.getpid(), signal.SIGINT)
                second.read()
        except KeyboardInterrupt:
            print(children())
    """)
        == "1\n[]"
    )


def test_there_is_none_beside_a_thread_or_on_one_core_or_without_need() -> None:
    assert (
        run("""
        with SecondProcess(lambda: b"x", when=False) as second:
            print(second.read())
        held = threading.Lock()
        held.acquire()
        threading.Thread(target=held.acquire, daemon=True).start()
        print(second_process.is_available())
        with SecondProcess(lambda: b"x") as second:
            print(second.read(), children())
    """)
        == "None\nFalse\nNone []"
    )
    assert run("os.sched_getaffinity = lambda _: {0}\nprint(second_process.is_available())") == "False"


def test_where_no_process_can_be_started_there_is_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError

    monkeypatch.setattr(second_process, "is_available", lambda: True)
    monkeypatch.setattr("os.fork", refuse)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with SecondProcess(lambda: b"x") as second:
        assert second.read() is None
    assert len(list(Path("/proc/self/fd").iterdir())) == before
