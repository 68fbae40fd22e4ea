"""What is not the file that it should be neither keeps the caller waiting nor fails it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.bundle_server import BundleServer
from support.runtime_readers import ORDER, Reader, bundle
from unit.runtime.test_refresh import with_version

from promptci import runtime

MAX_BYTES = runtime.MAX_BYTES


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def too_large(path: Path) -> None:
    path.write_text(with_version("v9", 99) + " " * MAX_BYTES)


NO_FILES = {"pipe": os.mkfifo, "endless": endless, "too large": too_large, "folder": Path.mkdir}


@pytest.mark.parametrize("make", NO_FILES.values(), ids=NO_FILES)
def test_a_file_that_is_none_leaves_the_bundle_in_use(
    reader: Reader, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    path = tmp_path / "bundle.json"
    path.write_text(bundle())
    reader.load(str(path), refresh=0)
    path.unlink()
    make(path)
    assert reader.choose(ORDER, "user-1")["version"] == "v1.2.0"
    reader.settle()
    assert reader.choose(ORDER, "user-1")["version"] == "v1.2.0"
    assert reader.state()["state"].startswith("stale since")


@pytest.mark.parametrize("make", NO_FILES.values(), ids=NO_FILES)
def test_a_copy_that_is_no_file_does_not_stop_the_start(
    reader: Reader, server: BundleServer, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    server.status = 500
    make(tmp_path / "copy.json")
    reader.load(server.url, copy=str(tmp_path / "copy.json"), builtin=bundle())
    assert (reader.choose(ORDER, "user-1")["version"], reader.state()["state"]) == ("v1.2.0", "built-in")


def test_a_path_and_a_text_are_taken_as_in_the_other_language(tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    path.write_text(bundle())
    assert runtime.Bundle(path).state == "fresh"
    assert runtime.Bundle(tmp_path / "none.json", builtin=bundle(), on_trouble=str).state == "built-in"
