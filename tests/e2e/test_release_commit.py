"""What is built from a release records its commit, and the workflow of its `promptci init` is pinned by it."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from fakes.repo import RepoBuilder

from promptci import __version__

ROOT = Path(__file__).parents[2]
SOURCES = (
    "promptci",
    "templates",
    "example-repo",
    "javascript",
    "pyproject.toml",
    "hatch_build.py",
    "README.md",
    "LICENSE",
)
RECORD = "promptci/_data/release-commit"
INIT = """
import sys
from pathlib import Path
import promptci
assert Path(promptci.__file__).is_relative_to(sys.argv[1]), promptci.__file__
from promptci.usecases.setup import doctor, init
repository = Path(sys.argv[2])
init.write_starter_files(repository, provider="local")
print(*(finding.problem.message for finding in doctor.examine(repository, "promptci.yml")), sep="\\n")
"""


@pytest.fixture
def release(tmp_path: Path) -> RepoBuilder:
    """A clone of promptci at the tag of its version."""
    clone = RepoBuilder(tmp_path / "clone")
    for name in SOURCES:
        source, target = ROOT / name, clone.path / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "_data", "node_modules"))
        else:
            shutil.copy(source, target)
    clone.commit("release")
    clone.git("tag", "--annotate", f"v{__version__}", "--message", "release")
    return clone


def build(kind: str, source: Path, out: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(out)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=600)
    (built,) = out.glob("promptci_action-*")
    return built


def init_in_new_repository(package: Path, tmp_path: Path) -> tuple[str, str]:
    """Return the workflow that an installed package writes, and what its doctor finds."""
    repository = RepoBuilder(tmp_path / "shop")
    repository.write({"README.md": "# Shop\n"}).commit()
    done = subprocess.run(
        [sys.executable, "-c", INIT, str(package), str(repository.path)],
        env=os.environ | {"PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return (repository.path / ".github" / "workflows" / "prompts.yml").read_text(), done.stdout


@pytest.mark.long
def test_the_wheel_of_a_release_pins_the_workflow_by_its_commit_also_through_an_sdist(
    release: RepoBuilder, tmp_path: Path
) -> None:
    commit = release.git("rev-parse", "HEAD").strip()
    with tarfile.open(build("sdist", release.path, tmp_path / "sdist")) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    for source, name in ((release.path, "direct"), (unpacked, "through-sdist")):
        with zipfile.ZipFile(build("wheel", source, tmp_path / name)) as wheel:
            assert wheel.namelist().count(RECORD) == 1
            assert wheel.read(RECORD).decode() == f"{commit}\n"
            wheel.extractall(tmp_path / f"{name}-installed")  # noqa: S202 - our own

    workflow, findings = init_in_new_repository(tmp_path / "through-sdist-installed", tmp_path)
    assert f"      - uses: promptci/promptci@{commit} # v{__version__}\n" in workflow
    assert "git ls-remote" not in workflow
    assert "pinned" not in findings
