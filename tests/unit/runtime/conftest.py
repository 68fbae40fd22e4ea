"""The runtime in both languages, and a server of bundles."""

import subprocess
from collections.abc import Iterator

import pytest
from fakes.bundle_server import BundleServer
from support import runtime_readers
from support.runtime_readers import NodeReader, PythonReader, Reader


@pytest.fixture(scope="module")
def node() -> Iterator["subprocess.Popen[str]"]:
    """Start Node once for a file of tests."""
    with runtime_readers.started_node() as process:
        yield process


@pytest.fixture(params=["python", "javascript"])
def reader(request: pytest.FixtureRequest) -> Reader:
    if request.param == "python":
        return PythonReader()
    return NodeReader(request.getfixturevalue("node"))


@pytest.fixture
def server() -> Iterator[BundleServer]:
    with BundleServer().serving() as serving:
        serving.body = runtime_readers.bundle().encode()
        yield serving
