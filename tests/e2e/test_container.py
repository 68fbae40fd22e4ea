"""The image as a runner starts it: root, a workspace of somebody else, mounted folders, a pull request to judge."""

import fcntl
import json
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fakes import github as fake
from fakes import loopback, tools
from fakes.machine import KEY, RUNNER, Machine, event, laid_out, must, run
from support import processes
from support.processes import LONGEST_S, wait_until

pytestmark = pytest.mark.container

ROOT = Path(__file__).parents[2]
BASE_IMAGE = "docker.io/library/python:3.13-slim-bookworm"
IMAGE = "localhost/promptci-test"
ISOLATION = ("--isolation", "chroot")


MOST_MB = 350
"""What the image may add to its base, without the embedded model's engine."""
GIT_MB = 105
"""What git, perl and what they need add to a base that has neither, such as the one a release is built on."""
LONGEST_START = 5.0
"""Time of a run that has nothing to ask, in that of a Python which only imports what every run needs."""


def built(tag: str, *options: str) -> str:
    """Build the image, from the steps that an earlier build of the same files left where there are such.

    PROMPTCI_BUILD_OPTIONS adds what only this machine needs, such as its package index.
    """
    if not shutil.which("buildah") or os.geteuid() != 0:
        tools.missing("container", "buildah is not installed, or we are not root")
    with (Path(tempfile.gettempdir()) / "promptci-test-image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker's build leaves all steps for this one
        maker = os.environ.get("PROMPTCI_MAKE_BASE_IMAGE")
        if maker:
            must(*shlex.split(maker), BASE_IMAGE)
        if run("buildah", "inspect", "--type", "image", BASE_IMAGE).returncode:
            tools.missing("container", f"the base image {BASE_IMAGE} is not there")
        overrides = shlex.split(os.environ.get("PROMPTCI_BUILD_OPTIONS", ""))
        must("buildah", "bud", *ISOLATION, "--layers", "--pull-never", *overrides, *options, "--tag", tag, ROOT)
    return tag


def has_git(image: str) -> bool:
    """Whether the base brings git along, so that the image need not add it."""
    name = must("buildah", "from", "--pull-never", image).strip()
    try:
        return run("buildah", "run", *ISOLATION, name, "--", "sh", "-c", "command -v git").returncode == 0
    finally:
        must("buildah", "rm", name)


@pytest.fixture(scope="session")
def image() -> str:
    return built(IMAGE)


@pytest.fixture(scope="session")
def slim_image() -> str:
    """Without the embedded model's engine."""
    return built(f"{IMAGE}-slim", "--build-arg", "EXTRAS=")


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let a container reach nothing but what listens on this machine's loopback; the images are built before."""
    for name in {"image", "slim_image"}.intersection(request.fixturenames):
        request.getfixturevalue(name)
    with loopback.only():
        yield


@pytest.fixture(scope="session")
def settings(image: str) -> dict[str, Any]:
    about: dict[str, Any] = json.loads(must("buildah", "inspect", "--type", "image", image))
    result: dict[str, Any] = about["OCIv1"]["config"]
    return result


@pytest.fixture
def container(image: str) -> Iterator[str]:
    name = must("buildah", "from", "--pull-never", image).strip()
    yield name
    must("buildah", "rm", name)


def command(container: str, entry: Sequence[str], machine: Machine, github: fake.GitHub, **inputs: str) -> list[str]:
    """Return the command that runs the image's entry as a runner does."""
    environment = machine.environ(github, Path("/github")) | inputs
    variables = [part for name, value in environment.items() for part in ("-e", f"{name}={value}")]
    folders = [*machine.mounts, "--workingdir", "/github/workspace"]
    return ["buildah", "run", *ISOLATION, *folders, *variables, container, "--", *entry]


def start(
    container: str, entry: Sequence[str], machine: Machine, github: fake.GitHub, **inputs: str
) -> subprocess.CompletedProcess[str]:
    """Run the image's entry and wait for its end."""
    return run(*command(container, entry, machine, github, **inputs))


def test_the_image_is_one_that_a_runner_can_start(settings: dict[str, Any]) -> None:
    assert all(part.startswith("/") for part in settings["Entrypoint"])
    assert not settings.get("User")
    assert settings.get("WorkingDir", "") in {"", "/"}
    assert not settings.get("Cmd")


def test_the_image_holds_no_secret_and_no_address_of_this_machines_index(image: str) -> None:
    memory = must("buildah", "inspect", "--type", "image", image)

    assert "index-url" not in memory
    assert "PIP_" not in memory


def test_a_worse_prompt_is_blocked_and_every_file_belongs_to_the_workspaces_owner(
    container: str, settings: dict[str, Any], machine: Machine
) -> None:
    with fake.GitHub() as github:
        done = start(container, settings["Entrypoint"], machine, github)

    assert done.returncode == 1, done.stdout[-3000:] + done.stderr[-3000:]
    assert machine.outputs["verdict"] == "fail"
    assert int(machine.outputs["regressions"]) > 0
    report = machine.workspace / machine.outputs["report-path"]
    assert {path.name for path in report.iterdir()} >= {"report.html", "report.json", "comment.md", "junit.xml"}
    assert [path for path in machine.written() if path.lstat().st_uid != RUNNER or path.lstat().st_gid != RUNNER] == []
    (body,) = github.bodies
    assert body.startswith("<!-- promptci:v1 key=promptci run=10 ")
    assert machine.head in body.splitlines()[0]
    assert [status["state"] for status in github.statuses] == ["failure"]
    assert not github.unknown
    assert (machine.folder / "file_commands" / "summary").stat().st_size > 0
    assert list((machine.folder / "home").iterdir()) == [], "neither git's settings nor caches are left there"
    results = [path.read_bytes() for path in machine.folder.rglob("*") if path.is_file() and not path.is_symlink()]
    results += [done.stdout.encode(), done.stderr.encode(), body.encode()]
    assert not [text for text in results if KEY.encode() in text or fake.TOKEN.encode() in text]


@pytest.mark.long
def test_an_unknown_base_is_an_error_and_files_are_still_handed_over(
    container: str, settings: dict[str, Any], machine: Machine
) -> None:
    with fake.GitHub() as github:
        done = start(container, settings["Entrypoint"], machine, github, INPUT_BASE="f" * 40)

    assert done.returncode == 4, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Traceback" not in done.stdout + done.stderr
    assert {path.lstat().st_uid for path in machine.written()} == {RUNNER}


@pytest.mark.long
def test_a_strangers_commits_are_refused_before_anything_is_read(
    container: str, settings: dict[str, Any], machine: Machine
) -> None:
    changed = event(machine.base, machine.head)
    changed["pull_request"]["head"]["repo"] = None
    (machine.folder / "workflow" / "event.json").write_text(json.dumps(changed))
    with fake.GitHub() as github:
        done = start(container, settings["Entrypoint"], machine, github, GITHUB_EVENT_NAME="pull_request_target")

    assert done.returncode == 4
    assert "allow-untrusted" in done.stderr
    assert github.exchanges == []


@pytest.mark.long
def test_a_better_prompt_passes(container: str, settings: dict[str, Any], machine: Machine) -> None:
    proposed = machine.propose("prompts/language-router.prompt.yml")
    with fake.GitHub() as github:
        done = start(container, settings["Entrypoint"], proposed, github)

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert proposed.outputs["verdict"] == "pass"
    assert [status["state"] for status in github.statuses] == ["success"]
    assert {path.lstat().st_uid for path in proposed.written()} == {RUNNER}


@pytest.mark.long
def test_what_the_image_adds_to_its_base_is_bounded_and_holds_no_build_tool(slim_image: str, image: str) -> None:
    whole, base = (
        int(must("podman", "image", "inspect", "--format", "{{.Size}}", name)) for name in (slim_image, BASE_IMAGE)
    )
    assert (whole - base) / 1e6 + (GIT_MB if has_git(BASE_IMAGE) else 0) < MOST_MB
    name = must("buildah", "from", "--pull-never", image).strip()
    try:
        listed = must("buildah", "run", *ISOLATION, name, "--", "find", "/opt/promptci", "-printf", "%P\\n")
    finally:
        must("buildah", "rm", name)
    names = {line.rpartition("/")[2] for line in listed.splitlines()}
    assert not names & {"pip", "setuptools", "hatchling", "wheel", "gcc", "cc", "make", "uv"}
    assert {"promptci", "numpy", "xllamacpp"} <= names
    assert "scipy" not in names


@pytest.mark.long
def test_a_run_without_a_changed_prompt_takes_little_more_than_a_start(
    container: str, settings: dict[str, Any], machine: Machine
) -> None:
    proposed = machine.propose()
    entry: list[str] = settings["Entrypoint"]
    bare = [entry[0], "-c", "import click, jinja2, pydantic, yaml"]
    took: dict[str, list[float]] = {"run": [], "bare": []}
    with fake.GitHub() as github:
        for _ in range(3):  # by turns, so that other work on the machine slows both
            for name, words in (("bare", bare), ("run", entry)):
                began = time.monotonic()
                done = start(container, words, proposed, github)
                took[name].append(time.monotonic() - began)
                assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]

    assert proposed.outputs["verdict"] == "no-change"
    assert github.bodies == []
    assert min(took["run"]) < LONGEST_START * min(took["bare"]), took


@pytest.mark.long
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_cancelled_job_leaves_a_journal_and_error(
    container: str, settings: dict[str, Any], tmp_path: Path, sent: signal.Signals
) -> None:
    entry: list[str] = settings["Entrypoint"]
    with laid_out(tmp_path, never_answered=True) as machine, fake.GitHub() as github:
        words = command(container, entry, machine, github)
        runner = processes.start(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        wait_until(lambda: bool(list(machine.workspace.rglob("journal*"))), runner)
        os.kill(descendant(runner.pid, entry[-1]), sent)
        message, _ = runner.communicate(timeout=LONGEST_S)

    assert runner.returncode == 130, message
    assert machine.outputs["verdict"] == "error"
    assert list(machine.workspace.rglob("journal.jsonl"))
    assert {path.lstat().st_uid for path in machine.written()} == {RUNNER}
    assert "Traceback" not in message


def descendant(parent: int, words: str) -> int:
    """Return the process that a process of ours started, at any remove, with these words on its command line."""
    below = {parent}
    result = None
    for place in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            above = int(place.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            line = place.joinpath("cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if above in below:
            below.add(int(place.name))
            result = int(place.name) if line[1:2] == [words] else result
    assert result is not None
    return result
