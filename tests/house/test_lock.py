"""What the image installs: every file by its hash, all that pyproject.toml asks for, and nothing about a machine."""

import importlib.metadata
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
BASE, CODE, LOCAL, BUILD = (ROOT / f"requirements{kind}.lock" for kind in ("", "-code", "-local", "-build"))
PYTHONS = ("3.11", "3.12", "3.13")
Environment = dict[str, str]


def environment(python: str) -> Environment:
    return {
        "python_version": python,
        "python_full_version": f"{python}.7",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "platform_machine": "x86_64",
        "extra": "",
    }


def entries(path: Path) -> Iterator[tuple[Requirement, list[str]]]:
    """Return each requirement of a lock and its hashes."""
    for entry in re.split(r"(?m)^(?=\S)", path.read_text(encoding="utf-8")):
        lines = [line.strip(" \\") for line in entry.splitlines()]
        if entry.strip():
            yield Requirement(lines[0]), lines[1:]


def locked(python: str, *paths: Path) -> dict[str, str]:
    """Return the versions that this Python gets, by name."""
    result: dict[str, str] = {}
    for requirement, _ in (entry for path in paths for entry in entries(path)):
        if requirement.marker is None or requirement.marker.evaluate(environment(python)):
            (version,) = requirement.specifier
            name = canonicalize_name(requirement.name)
            assert version.operator == "=="
            assert name not in result, f"{name} is locked twice for Python {python}"
            result[name] = version.version
    return result


def read_requirements(extra: str = "") -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(map(Requirement, project["optional-dependencies"][extra] if extra else project["dependencies"]))


def missing(python: str, asked: list[Requirement], paths: tuple[Path, ...]) -> list[str]:
    """Return what is asked for, at any remove, and not locked so, by what the installed packages say."""
    versions = locked(python, *paths)
    seen: set[tuple[str, str]] = set()
    wrong: list[str] = []
    while asked:
        requirement = asked.pop()
        extras = {"", *requirement.extras}
        name = canonicalize_name(requirement.name)
        if name not in versions or not requirement.specifier.contains(versions[name], prereleases=True):
            wrong.append(f"{requirement} (locked: {versions.get(name)})")
            continue
        for extra in sorted(extra for extra in extras if (name, extra) not in seen):
            seen.add((name, extra))
            further = map(Requirement, importlib.metadata.requires(name) or [])
            where = {**environment(python), "extra": extra}
            asked += [each for each in further if each.marker is None or each.marker.evaluate(where)]
    return wrong


@pytest.mark.parametrize("path", [BASE, CODE, LOCAL, BUILD], ids=lambda path: path.name)
def test_every_requirement_has_hashes_and_no_machine_is_named(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"://|index|find-links|trusted-host|(^|\s)-[a-z]|/\w+/", text), "an index, a host or a path"
    for requirement, hashes in entries(path):
        assert hashes, requirement
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", each) for each in hashes), requirement


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_matches_pyproject(python: str) -> None:
    assert missing(python, read_requirements(), (BASE,)) == [], "run `.ci/lock`"
    assert missing(python, read_requirements("code"), (BASE, CODE)) == [], "run `.ci/lock`"
    assert missing(python, read_requirements("local"), (BASE, LOCAL)) == [], "run `.ci/lock`"


def test_a_release_is_built_with_what_is_locked() -> None:
    system = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    versions = locked("3.13", BUILD)
    for requirement in map(Requirement, [*system, "build"]):
        assert requirement.specifier.contains(versions[requirement.name]), "run `.ci/lock`"


def test_a_requirement_that_is_not_locked_is_named() -> None:
    assert missing("3.13", [Requirement("leftpad>=1")], (BASE,)) == ["leftpad>=1 (locked: None)"]
    assert missing("3.13", [Requirement("click<8")], (BASE,))


def test_the_image_installs_by_hash_and_builds_nothing() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    installs = re.findall(r"pip[^&]*? install (.*?)&&", text.replace("\\\n", " "), re.DOTALL)
    assert len(installs) == 1
    assert {"--require-hashes", "--only-binary=:all:", "--no-deps"} <= set(installs[0].split())
