"""The runtime in both languages, and a server of bundles."""

from collections.abc import Iterator

import pytest
from fakes.bundle_server import BundleServer
from support import runtime_readers
from support.runtime_readers import Reader


@pytest.fixture(params=["python", "javascript"])
def reader(request: pytest.FixtureRequest) -> Iterator[Reader]:
    with runtime_readers.opened(request.param) as opened:
        yield opened


@pytest.fixture
def server() -> Iterator[BundleServer]:
    with BundleServer().serving() as serving:
        serving.body = runtime_readers.bundle().encode()
        yield serving
