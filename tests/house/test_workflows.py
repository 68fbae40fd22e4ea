"""Our own workflows: pinned, with the least rights, bounded in time; and a release that is attested and pinned."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes import tools
from fakes.repo import RepoBuilder

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
MAY_WRITE = {"attestations", "contents", "id-token", "packages", "security-events"}
DIGEST = "sha256:" + "0123456789abcdef" * 4


def load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506 - texts only
    return loaded


def uses(path: Path) -> list[str]:
    return re.findall(r"(?m)^\s*(?:- )?uses: (.*)$", path.read_text(encoding="utf-8"))


def test_there_are_workflows() -> None:
    assert {path.name for path in FILES} == {"ci.yml", "codeql.yml", "release.yml"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_action_is_pinned_by_its_commit_and_says_its_version(path: Path) -> None:
    assert [each for each in uses(path) if not re.fullmatch(r"\./ .*|[\w./-]+@[0-9a-f]{40} # v[0-9.]+", each)] == []


def test_an_action_has_one_commit_everywhere() -> None:
    shown = [ROOT / "README.md", *(ROOT / "templates" / "init").glob("*.yml"), *FILES]
    pins: dict[str, set[str]] = {}
    for name, commit in (each.split(" ")[0].split("@") for path in shown for each in uses(path) if "# v" in each):
        pins.setdefault(name, set()).add(commit)
    assert {name: commits for name, commits in pins.items() if len(commits) > 1} == {}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_job_has_only_the_rights_that_it_states_and_an_end(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {}
    assert "pull_request_target" not in workflow["on"]
    for name, job in workflow["jobs"].items():
        rights = job["permissions"]
        assert {right for right, level in rights.items() if level == "write"} <= MAY_WRITE, name
        assert int(job["timeout-minutes"]) <= 120
        checkouts = [step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
        assert all(step["with"]["persist-credentials"] == "false" for step in checkouts)


def test_nothing_that_a_pull_request_starts_may_write_to_the_repository() -> None:
    for path in FILES:
        workflow = load(path)
        if "pull_request" in workflow["on"]:
            rights = [set(job["permissions"].items()) for job in workflow["jobs"].values()]
            assert not any(("contents", "write") in each or ("packages", "write") in each for each in rights)


def test_a_release_attests_image_wheel_and_what_is_in_them_and_needs_no_password() -> None:
    text = (FOLDER / "release.yml").read_text(encoding="utf-8")
    jobs = load(FOLDER / "release.yml")["jobs"]
    names = {name: [step.get("uses", "").partition("@")[0] for step in job["steps"]] for name, job in jobs.items()}

    assert "actions/attest-build-provenance" in names["wheel"]
    assert {"actions/attest-build-provenance", "actions/attest-sbom", "anchore/sbom-action"} <= set(names["image"])
    assert names["pypi"][-1] == "pypa/gh-action-pypi-publish"
    assert jobs["pypi"]["permissions"] == {"id-token": "write"}
    assert (jobs["wheel"]["needs"], jobs["tag"]["needs"]) == ("image", ["image", "wheel"])
    assert "--require-hashes" in text
    assert re.findall(r"secrets\.\w+", text) == []


def pin(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / ".ci" / "pin-image"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_digest_goes_into_action_yml(tmp_path: Path) -> None:
    file = tmp_path / "action.yml"
    before = (ROOT / "action.yml").read_text(encoding="utf-8")
    file.write_text(before)
    for digest in (DIGEST, DIGEST.replace("0", "f")):
        assert pin("ghcr.io/promptci/promptci", digest, str(file)).returncode == 0
        assert load(file)["runs"] == {"using": "docker", "image": f"docker://ghcr.io/promptci/promptci@{digest}"}
        others = [line for line in file.read_text().splitlines() if not line.startswith("  image:")]
        assert others == [line for line in before.splitlines() if not line.startswith("  image:")]


def make_release_commit(work: RepoBuilder, folder: Path, digest: str, version: str) -> str:
    """Return the commit that the job which builds the wheel makes, in a checkout of its own."""
    work.git("clone", "--quiet", "--no-tags", str(work.path), str(folder))
    for name in ("pin-image", "release-commit"):
        shutil.copy(work.path / ".ci" / name, folder / ".ci" / name)
    command = [".ci/release-commit", "ghcr.io/promptci/promptci", digest, version]
    subprocess.run(command, cwd=folder, check=True)
    git = ["git", "rev-parse", f"v{version}^{{commit}}"]
    return subprocess.run(git, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def record_in_wheel(commit: str, folder: Path) -> None:
    (folder / "released" / "dist").mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "released" / "dist" / "promptci_action.whl", "w") as wheel:
        wheel.writestr("promptci/_data/release-commit", f"{commit}\n")


def test_a_release_gets_its_tag_and_moves_the_major_one(tmp_path: Path) -> None:
    (script,) = [step["run"] for step in load(FOLDER / "release.yml")["jobs"]["tag"]["steps"] if "run" in step]
    origin = RepoBuilder(tmp_path / "origin", "--bare")
    work = RepoBuilder(tmp_path / "work")
    scripts = (".ci/pin-image", ".ci/release-commit")
    main = work.write({name: (ROOT / name).read_text(encoding="utf-8") for name in ("action.yml", *scripts)}).commit()
    for name in scripts:
        (work.path / name).chmod(0o755)
    work.git("remote", "add", "origin", str(origin.path))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gh").write_text("#!/bin/sh\n")
    (tmp_path / "bin" / "gh").chmod(0o755)
    environ = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "GITHUB_REPOSITORY": "promptci/promptci"}

    for version, digest in (("1.0.0", DIGEST), ("1.1.0", DIGEST.replace("0", "f"))):
        work.git("checkout", "--quiet", "--detach", main)
        record_in_wheel(make_release_commit(work, tmp_path / version, digest, version), work.path)
        command = ["bash", "-eo", "pipefail", "-c", script]
        subprocess.run(command, cwd=work.path, env=environ | {"VERSION": version, "DIGEST": digest}, check=True)
        assert origin.git("rev-parse", "v1^{commit}") == origin.git("rev-parse", f"v{version}^{{commit}}")
        assert f"image: docker://ghcr.io/promptci/promptci@{digest}" in origin.git("show", f"v{version}:action.yml")
    assert origin.git("tag", "--list").split() == ["v1", "v1.0.0", "v1.1.0"]

    work.git("checkout", "--quiet", "--detach", main)
    record_in_wheel(main, work.path)
    command = ["bash", "-eo", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=work.path, env=environ | {"VERSION": "1.2.0", "DIGEST": DIGEST}, check=False)
    assert done.returncode != 0, "a wheel of another commit was released"
    assert "v1.2.0" not in origin.git("tag", "--list")


@pytest.mark.parametrize("words", [("ghcr.io/a/b", "latest"), ("ghcr.io/a/b", DIGEST[:-1]), ("b c/d", DIGEST)])
def test_what_is_no_digest_is_refused(words: tuple[str, str], tmp_path: Path) -> None:
    (file := tmp_path / "action.yml").write_text("runs:\n  image: Dockerfile\n")
    done = pin(*words, str(file))
    assert done.returncode == 1
    assert "is not an image by its digest" in done.stderr
    assert file.read_text() == "runs:\n  image: Dockerfile\n"


def test_zizmor_finds_nothing_in_the_updates_settings() -> None:
    settings = ROOT / ".github" / "dependabot.yml"
    command = [tools.zizmor(), "--offline", "--no-progress", settings]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
