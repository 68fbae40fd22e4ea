"""A fake GitHub, and the real client connected to it."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from fakes import github as fake
from fakes.jumping_clock import JumpingClock, client

from promptci.publish.pygithub_client import PyGithubClient


@pytest.fixture
def time() -> JumpingClock:
    return JumpingClock()


@pytest.fixture
def server() -> Iterator[fake.GitHub]:
    with fake.GitHub() as running:
        yield running
        assert not running.unknown, f"GitHub has no such route: {running.unknown}"


@pytest.fixture
def github(server: fake.GitHub, time: JumpingClock) -> Iterator[PyGithubClient]:
    with closing(client(server, time)) as connected:
        yield connected
