"""A signal cancels the calls in flight; without any it is `KeyboardInterrupt`."""

import asyncio
import io
import signal
import weakref
from collections.abc import Iterator

import pytest

from promptci.app import error_boundary, interruption
from promptci.cli import command_group


class Connection:
    """Something a weak reference can point to."""


@pytest.fixture
def ctrl_c_ignored() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


async def be_told_to_terminate_while_a_weak_reference_is_cleared() -> str:
    connection = Connection()
    reference = weakref.ref(connection, command_group._interrupt)  # Python drops what is raised in there
    del connection
    assert reference() is None
    await asyncio.sleep(0.2)
    return "not interrupted"


@pytest.mark.usefixtures("ctrl_c_ignored")
def test_a_background_job_ends_wherever_the_signal_strikes() -> None:
    err = io.StringIO()

    def work() -> int:
        pytest.fail(asyncio.run(be_told_to_terminate_while_a_weak_reference_is_cleared()))

    code = error_boundary.run_guarded(work, {}, err)
    assert (code, "interrupted" in err.getvalue()) == (130, True)


def test_without_calls_in_flight_it_is_as_ctrl_c() -> None:
    with pytest.raises(KeyboardInterrupt):
        interruption.interrupt()
