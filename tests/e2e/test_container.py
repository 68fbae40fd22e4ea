"""The image as a runner starts it: root, a workspace of somebody else, mounted folders, a pull request to judge."""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes import github as fake
from fakes import runner, tools
from fakes.openai_server import Call, OpenAIServer

from promptci.jobs import demo

pytestmark = pytest.mark.container

ROOT = Path(__file__).parents[2]
BASE_IMAGE = "docker.io/library/python:3.13-slim-bookworm"
IMAGE = "localhost/promptci-test"
ISOLATION = ("--isolation", "chroot")
RUNNER = 1001
"""Owner of the workspace on GitHub's machines."""
KEY = "sk-CANARY-0123456789abcdef"


def run(*command: str | Path, timeout: float = 900) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=timeout)


def must(*command: str | Path) -> str:
    done = run(*command)
    assert done.returncode == 0, f"{shlex.join(map(str, command))}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="session")
def image() -> str:
    """Build the image; PROMPTCI_BUILD_OPTIONS adds what only this machine needs, such as its package index."""
    if not shutil.which("buildah") or os.geteuid() != 0:
        tools.missing("container", "buildah is not installed, or we are not root")
    maker = os.environ.get("PROMPTCI_MAKE_BASE_IMAGE")
    if maker:
        must(*shlex.split(maker), BASE_IMAGE)
    if run("buildah", "inspect", "--type", "image", BASE_IMAGE).returncode:
        tools.missing("container", f"the base image {BASE_IMAGE} is not there")
    more = shlex.split(os.environ.get("PROMPTCI_BUILD_OPTIONS", ""))
    must("buildah", "bud", *ISOLATION, "--pull-never", *more, "--tag", IMAGE, ROOT)
    return IMAGE


@pytest.fixture(scope="session")
def settings(image: str) -> dict[str, Any]:
    about: dict[str, Any] = json.loads(must("buildah", "inspect", "--type", "image", image))
    found: dict[str, Any] = about["OCIv1"]["config"]
    return found


@pytest.fixture
def container(image: str) -> Iterator[str]:
    name = must("buildah", "from", "--pull-never", image).strip()
    yield name
    must("buildah", "rm", name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """The folders that a runner mounts."""

    folder: Path
    base: str
    head: str

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    @property
    def outputs(self) -> dict[str, str]:
        return dict(runner.key_values((self.folder / "file_commands" / "output").read_text(encoding="utf-8")))

    @property
    def mounts(self) -> list[str]:
        names = ("workspace", "file_commands", "workflow", "home", "runner_temp")
        return [part for name in names for part in ("-v", f"{self.folder / name}:/github/{name}")]

    def written(self) -> list[Path]:
        return [path for path in self.workspace.rglob("*") if ".git" not in path.relative_to(self.workspace).parts]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """Lay out the demo's pull request, answered from its recording, else by a model that obeys only base's prompts."""
    for name in ("file_commands", "workflow", "home", "runner_temp"):
        (tmp_path / name).mkdir()
    for name in ("output", "summary"):
        (tmp_path / "file_commands" / name).touch()
    workspace = tmp_path / "workspace"
    base, _ = demo.lay_out(workspace)
    obeyed = must("git", "-C", workspace, "grep", "-h", "", base, "--", "prompts")
    expected = _expected(workspace / "goldens")
    with OpenAIServer(lambda call: _answer(call, obeyed, expected)) as model:
        base, head = _with_provider(workspace, _provider(workspace, model))
        machine = Machine(folder=tmp_path, base=base, head=head)
        (tmp_path / "workflow" / "event.json").write_text(json.dumps(_event(base, head)))
        for path in [workspace, *workspace.rglob("*")]:
            os.chown(path, RUNNER, RUNNER, follow_symlinks=False)
        yield machine


def _provider(workspace: Path, model: OpenAIServer) -> dict[str, Any]:
    recordings = sorted((workspace / "answers").glob("*.jsonl"))
    if recordings:
        return {"kind": "recorded", "path": recordings[0].relative_to(workspace).as_posix()}
    return {"kind": "openai", "base_url": model.base_url}


def _with_provider(workspace: Path, provider: dict[str, Any]) -> tuple[str, str]:
    """Change the configuration on the default branch, where it is read, and put the pull request on top of it."""
    who = ("-c", "user.name=A colleague", "-c", "user.email=colleague@example.com")
    git = ("git", "-C", workspace, *who)
    must(*git, "switch", "--quiet", "main")
    file = workspace / "promptci.yml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"provider": provider}))
    must(*git, "commit", "--quiet", "--all", "--message=Another provider")
    base = must(*git, "rev-parse", "HEAD").strip()
    must(*git, "rebase", "--quiet", "main", demo.BRANCH)
    return base, must(*git, "rev-parse", "HEAD").strip()


def _expected(goldens: Path) -> dict[str, str]:
    lines = [line for file in goldens.glob("*.jsonl") for line in file.read_text(encoding="utf-8").splitlines()]
    cases = [json.loads(line) for line in lines if '"expected"' in line]
    return {case["vars"]["message"]: case["expected"] for case in cases if "message" in case.get("vars", {})}


def _answer(call: Call, obeyed: str, expected: dict[str, str]) -> str:
    """Do as the prompt says where it is base's; chat where it is another."""
    first_line = str(call.body["messages"][0]["content"]).splitlines()[0]
    count = len(call.body["messages"])
    known = first_line in obeyed and count >= obeyed.count("- role: ")
    return expected.get(call.last_user_message, "none") if known else "Sure! Let me have a look at that for you."


def _event(base: str, head: str) -> dict[str, Any]:
    repo = {"full_name": fake.REPOSITORY}
    pull = {"number": 7, "base": {"sha": base, "ref": "main", "repo": repo}, "head": {"sha": head, "repo": repo}}
    return {"action": "opened", "number": 7, "pull_request": pull, "repository": repo}


def start(
    container: str, entry: Sequence[str], machine: Machine, github: fake.GitHub, **inputs: str
) -> subprocess.CompletedProcess[str]:
    """Run the image's entry as a runner does."""
    environment = {
        "HOME": "/github/home",
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": "/github/workflow/event.json",
        "GITHUB_OUTPUT": "/github/file_commands/output",
        "GITHUB_STEP_SUMMARY": "/github/file_commands/summary",
        "GITHUB_REPOSITORY": fake.REPOSITORY,
        "GITHUB_RUN_ID": "10",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_SHA": "c" * 40,
        "GITHUB_API_URL": github.url,
        "GITHUB_WORKSPACE": "/github/workspace",
        "RUNNER_TEMP": "/github/runner_temp",
        "INPUT_GITHUB-TOKEN": fake.TOKEN,
        "INPUT_API-KEY": KEY,
        **inputs,
    }
    variables = [part for name, value in environment.items() for part in ("-e", f"{name}={value}")]
    folders = [*machine.mounts, "--workingdir", "/github/workspace"]
    return run("buildah", "run", *ISOLATION, *folders, *variables, container, "--", *entry)


def test_the_image_is_one_that_a_runner_can_start(settings: dict[str, Any]) -> None:
    assert all(part.startswith("/") for part in settings["Entrypoint"])
    assert not settings.get("User")
    assert settings.get("WorkingDir", "") in {"", "/"}
    assert not settings.get("Cmd")


def test_the_image_holds_no_secret_and_no_address_of_this_machines_index(image: str) -> None:
    history = must("buildah", "inspect", "--type", "image", image)

    assert "index-url" not in history
    assert "PIP_" not in history


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
    assert body.startswith("<!-- promptci:v1 key=promptci.yml run=10 ")
    assert machine.head in body.splitlines()[0]
    assert [status["state"] for status in github.statuses] == ["failure"]
    assert not github.unknown
    assert (machine.folder / "file_commands" / "summary").stat().st_size > 0
    assert list((machine.folder / "home").iterdir()) == [], "neither git's settings nor caches are left there"
    told = [path.read_bytes() for path in machine.folder.rglob("*") if path.is_file() and not path.is_symlink()]
    told += [done.stdout.encode(), done.stderr.encode(), body.encode()]
    assert not [text for text in told if KEY.encode() in text or fake.TOKEN.encode() in text]


def test_an_unknown_base_is_an_error_and_files_are_still_handed_over(
    container: str, settings: dict[str, Any], machine: Machine
) -> None:
    with fake.GitHub() as github:
        done = start(container, settings["Entrypoint"], machine, github, INPUT_BASE="f" * 40)

    assert done.returncode == 4, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Traceback" not in done.stdout + done.stderr
    assert {path.lstat().st_uid for path in machine.written()} == {RUNNER}


def test_a_strangers_commits_are_refused_before_anything_is_read(
    container: str, settings: dict[str, Any], machine: Machine
) -> None:
    event = _event(machine.base, machine.head)
    event["pull_request"]["head"]["repo"] = None
    (machine.folder / "workflow" / "event.json").write_text(json.dumps(event))
    with fake.GitHub() as github:
        done = start(container, settings["Entrypoint"], machine, github, GITHUB_EVENT_NAME="pull_request_target")

    assert done.returncode == 4
    assert "allow-untrusted" in done.stderr
    assert github.exchanges == []
