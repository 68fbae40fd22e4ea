"""A shop whose prompts are released and deployed by the command line, with a remote and clones of it."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fakes.repo import ENVIRON, RepoBuilder
from support import processes
from support.templates import copy_built

from promptci.cli.command_group import group
from promptci.errors import PromptciError

PROMPT = "prompts/order.prompt.yml"
PRODUCTION = "deployments/production.yml"
ENVIRONMENT = {name: value for name, value in ENVIRON.items() if name != "HOME"}


def prompt(instruction: str = "Copy the order number.", model: str = "gpt-4o-mini", user: str = "{{input}}") -> str:
    return (
        f"model: {model}\nmodelParameters: {{temperature: 0}}\nmessages:\n"
        f"  - role: system\n    content: {json.dumps(instruction)}\n  - role: user\n    content: {json.dumps(user)}\n"
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """The end of one command."""

    code: int
    text: str
    """What was printed, and the message of an error."""

    @property
    def value(self) -> Any:
        return json.loads(self.text)


def run(builder: RepoBuilder, *words: str) -> Outcome:
    """Run one command in a repository, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(builder.path)
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        invoked = CliRunner().invoke(group, list(words), standalone_mode=False)
    if invoked.exception is None:
        return Outcome(code=invoked.return_value, text=invoked.output)
    if not isinstance(invoked.exception, PromptciError):
        raise invoked.exception
    return Outcome(code=invoked.exception.exit_code, text=f"{invoked.output}{invoked.exception}")


def start(builder: RepoBuilder, words: Sequence[str]) -> "subprocess.Popen[str]":
    """Start one command in a process of its own, as a person of the repository's own name."""
    environ = {**os.environ, **ENVIRONMENT, "GIT_COMMITTER_NAME": builder.path.name}
    command = [sys.executable, "-m", "promptci", *words]
    return processes.start(command, cwd=builder.path, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def shop(path: Path) -> RepoBuilder:
    """A shop with one prompt that nobody has released."""
    copy_built(_build_shop, path)
    return RepoBuilder(path / "shop")


def _build_shop(path: Path) -> None:
    RepoBuilder(path / "shop").write({PROMPT: prompt()}).commit("base")


def release(builder: RepoBuilder, instruction: str | None = None, **options: str) -> str:
    """Commit another instruction, release it, and return its version."""
    if instruction is not None:
        builder.write({PROMPT: prompt(instruction, **options)}).commit(instruction)
    done = run(builder, "release", "order", "--because", "the test says so", "--json")
    assert done.code == 0, done.text
    return str(done.value["prompts"][0]["version"])


def with_remote(builder: RepoBuilder, *clones: str) -> list[RepoBuilder]:
    """Make a bare remote of a repository, and clones of it."""
    folder = builder.path.parent
    remote = folder / "origin.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(remote)], env=ENVIRON, check=True)
    builder.git("remote", "add", "origin", str(remote))
    builder.git("push", "--quiet", "--tags", "origin", "main")
    results = []
    for name in clones:
        subprocess.run(["git", "clone", "--quiet", str(remote), str(folder / name)], env=ENVIRON, check=True)
        results.append(RepoBuilder(folder / name))
    return results


def report(path: Path, fingerprint: str, verdict: str = "pass", **options: Any) -> Path:
    """Write what a release reads of a report.json."""
    quality = {"delta": -0.004, "interval": [-0.025, 0.011], "on_goldens": {"max_drop": 0.019}}
    entry = {"name": "order", "head_fingerprint": fingerprint, "verdict": verdict, "cases": 100, "errors": 0}
    entry["quality"] = quality
    entry["head"] = {"evaluated": 100, "quality": 0.97, "quality_interval": [0.92, 0.99]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"schema": "promptci/report/v1", "prompts": [{**entry, **options}]}))
    return path
