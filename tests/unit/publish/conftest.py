"""A fake GitHub, and the real client connected to it."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from fakes import github as fake
from fakes import openapi
from fakes.jumping_clock import JumpingClock, client

from promptci.publish.github.issue_client import IssueClient


@pytest.fixture
def time() -> JumpingClock:
    return JumpingClock()


@pytest.fixture
def server() -> Iterator[fake.GitHub]:
    with fake.GitHub() as running, openapi.watched(running):
        yield running


@pytest.fixture
def github(server: fake.GitHub, time: JumpingClock) -> Iterator[IssueClient]:
    with closing(client(server, time)) as connected:
        yield connected
