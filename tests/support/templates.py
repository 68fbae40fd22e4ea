"""Folders that many tests begin with, such as a shop with two releases: built once in a process, and copied."""

import atexit
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

Build = Callable[[Path], object]


def copy_built(build: Build, path: Path) -> None:
    """Fill a folder with what `build` makes of an empty one. Remotes in it are those of the copy."""
    template = _build_once(build)
    shutil.copytree(template, path, symlinks=True, dirs_exist_ok=True)
    for config in path.glob("*/.git/config"):
        config.write_text(config.read_text().replace(str(template), str(path)))


@cache
def _build_once(build: Build) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="promptci-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    build(folder)
    return folder
