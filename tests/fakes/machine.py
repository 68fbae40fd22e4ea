"""A runner's machine: a pull request of the demo in a workspace of somebody else, and the folders that are mounted."""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from fakes import github as fake
from fakes import runner
from fakes.openai_server import OpenAIServer

from promptci.usecases.setup import demo

RUNNER = 1001
"""Owner of the workspace on GitHub's machines."""
KEY = "sk-CANARY-0123456789abcdef"
WHO = ("-c", "user.name=A colleague", "-c", "user.email=colleague@example.com")
RECORDED = {"kind": "recorded", "path": "answers/smollm2-135m.jsonl"}
"""The demo's own recording."""
SILENCE_S = 900.0
"""Longer than any test waits."""


def run(*command: str | Path, timeout: float = 900) -> subprocess.CompletedProcess[str]:
    """Run a command and wait for it."""
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=timeout)


def must(*command: str | Path) -> str:
    """Run a command that has to succeed, and give what it printed."""
    done = run(*command)
    assert done.returncode == 0, f"{shlex.join(map(str, command))}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """The folders that a runner mounts."""

    folder: Path
    """Holds the folders that are mounted."""
    base: str
    head: str

    @property
    def workspace(self) -> Path:
        """The repository."""
        return self.folder / "workspace"

    @property
    def outputs(self) -> dict[str, str]:
        """What the step gave out, as the runner reads it."""
        return dict(runner.key_values((self.folder / "file_commands" / "output").read_text(encoding="utf-8")))

    @property
    def mounts(self) -> list[str]:
        """Options that mount the folders."""
        names = ("workspace", "file_commands", "workflow", "home", "runner_temp")
        return [part for name in names for part in ("-v", f"{self.folder / name}:/github/{name}")]

    def environ(self, github: fake.GitHub, root: Path) -> dict[str, str]:
        """Return the variables of a pull request's run, with the mounted folders below `root`."""
        return {
            "HOME": f"{root}/home",
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": f"{root}/workflow/event.json",
            "GITHUB_OUTPUT": f"{root}/file_commands/output",
            "GITHUB_STEP_SUMMARY": f"{root}/file_commands/summary",
            "GITHUB_REPOSITORY": fake.REPOSITORY,
            "GITHUB_RUN_ID": "10",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_SHA": "c" * 40,
            "GITHUB_API_URL": github.url,
            "GITHUB_WORKSPACE": f"{root}/workspace",
            "RUNNER_TEMP": f"{root}/runner_temp",
            "INPUT_GITHUB-TOKEN": fake.TOKEN,
            "INPUT_API-KEY": KEY,
        }

    def propose(self, *paths: str) -> "Machine":
        """Return a pull request of another commit: base, and the files `paths` of the demo's pull request."""
        git = ("git", "-C", self.workspace, "-c", f"safe.directory={self.workspace}", *WHO)
        must(*git, "switch", "--quiet", "--create", "proposal", self.base)
        (self.workspace / "NOTES.md").write_text("A note.\n")
        if paths:
            must(*git, "checkout", "--quiet", self.head, "--", *paths)
        must(*git, "add", "--all")
        must(*git, "commit", "--quiet", "--message=A proposal")
        head = must(*git, "rev-parse", "HEAD").strip()
        (self.folder / "workflow" / "event.json").write_text(json.dumps(event(self.base, head)))
        give_to_runner(self.workspace)
        return replace(self, head=head)

    def written(self) -> list[Path]:
        """Everything in the workspace but git's own files."""
        return [path for path in self.workspace.rglob("*") if ".git" not in path.relative_to(self.workspace).parts]


def give_to_runner(folder: Path) -> None:
    """Make everything in a folder the runner's."""
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, RUNNER, RUNNER, follow_symlinks=False)


@contextmanager
def laid_out(folder: Path, *, never_answered: bool = False) -> Iterator[Machine]:
    """Lay out the demo's pull request: answered from its recording, or asked of a model that is silent for too long."""
    for name in ("file_commands", "workflow", "home", "runner_temp"):
        (folder / name).mkdir()
    for name in ("output", "summary"):
        (folder / "file_commands" / name).touch()
    workspace = folder / "workspace"
    demo.create_demo_repository(workspace)
    with OpenAIServer(latency_s=SILENCE_S) as model:
        silent = {"kind": "openai", "base_url": model.base_url}
        base, head = _with_provider(workspace, silent if never_answered else RECORDED)
        machine = Machine(folder=folder, base=base, head=head)
        (folder / "workflow" / "event.json").write_text(json.dumps(event(base, head)))
        give_to_runner(workspace)
        yield machine


def _with_provider(workspace: Path, provider: dict[str, Any]) -> tuple[str, str]:
    """Change the configuration on the default branch, where it is read, and put the pull request on top of it."""
    git = ("git", "-C", workspace, *WHO)
    must(*git, "switch", "--quiet", "main")
    file = workspace / "promptci.yml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"provider": provider}))
    must(*git, "commit", "--quiet", "--all", "--message=Another provider")
    base = must(*git, "rev-parse", "HEAD").strip()
    must(*git, "rebase", "--quiet", "main", demo.BRANCH)
    return base, must(*git, "rev-parse", "HEAD").strip()


def event(base: str, head: str) -> dict[str, Any]:
    """Return the payload of a pull request of this repository."""
    repo = {"full_name": fake.REPOSITORY}
    pull = {"number": 7, "base": {"sha": base, "ref": "main", "repo": repo}, "head": {"sha": head, "repo": repo}}
    return {"action": "opened", "number": 7, "pull_request": pull, "repository": repo}
