"""composite/action.yml is action.yml without a container: the same inputs and outputs, and a script that runs it."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes import github as fake
from fakes import tools
from support.action_runner import Run
from support.daily import first_daily
from support.repositories import GOLDENS, GOOD, PROMPT, config, goldens, prompt, shop

ROOT = Path(__file__).parents[2]
COMPOSITE = ROOT / "composite" / "action.yml"
UV = """#!/bin/sh
echo "$@" >> "$UV_CALLS"
if [ "$1" = venv ]; then
  for folder; do :; done
  python="$folder/bin/python"
  if [ "$RUNNER_OS" = Windows ]; then python="$folder/Scripts/python.exe"; fi
  mkdir -p "$(dirname "$python")"
  printf '#!/bin/sh\\nexec %s "$@"\\n' "$PYTHON" > "$python"
  chmod +x "$python"
fi
case "$*" in *local.lock*) exit 1;; esac
"""
"""Makes an environment that runs this Python; installs nothing, and finds no package for the embedded model."""


def load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def test_inputs_and_outputs_are_those_of_the_container_action() -> None:
    composite, container = load(COMPOSITE), load(ROOT / "action.yml")
    outputs = {name: about.pop("value") for name, about in composite["outputs"].items()}

    assert composite["inputs"] == container["inputs"]
    assert composite["outputs"] == container["outputs"]
    assert outputs == {name: f"${{{{ steps.promptci.outputs.{name} }}}}" for name in outputs}


def test_every_input_is_passed_on() -> None:
    composite = load(COMPOSITE)
    passed = composite["runs"]["steps"][-1]["env"]
    assert passed == {
        f"INPUT_{name.upper().replace('-', '_')}": f"${{{{ inputs.{name} }}}}" for name in composite["inputs"]
    }


def test_actions_of_others_are_pinned_and_the_linters_take_it(tmp_path: Path) -> None:
    uses = re.findall(r"uses: (.*)", COMPOSITE.read_text(encoding="utf-8"))
    assert [each for each in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[0-9.]+", each)] == []
    validator = tools.node_modules() / "@action-validator" / "cli" / "cli.mjs"
    for command in (["node", validator], [tools.zizmor(), "--offline", "--no-progress"]):
        done = subprocess.run([*map(str, command), str(COMPOSITE)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("system", first_daily(["Linux", "Windows"]))
def test_the_script_runs_the_action_and_sets_its_outputs(system: str, tmp_path: Path) -> None:
    builder = shop(tmp_path, {PROMPT: prompt(GOOD), GOLDENS: goldens(3), "promptci.yml": config()})
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "uv").write_text(UV)
    (tmp_path / "bin" / "uv").chmod(0o755)
    step = load(COMPOSITE)["runs"]["steps"][-1]
    with fake.GitHub() as github:
        environ = Run(tmp_path, builder, github).environ(INPUT_STATUS="false")
        environ |= {
            "PATH": f"{tmp_path / 'bin'}:{environ['PATH']}",
            "PYTHON": sys.executable,
            "RUNNER_OS": system,
            "UV_CALLS": str(tmp_path / "calls"),
            "GITHUB_ACTION_PATH": str(COMPOSITE.parent),
            "RUNNER_TEMP": str(tmp_path / "temp"),
            "INPUT_GITHUB_TOKEN": environ.pop("INPUT_GITHUB-TOKEN"),
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=builder.path,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no-change" in (tmp_path / "output").read_text()
    assert "The embedded model has no package for this machine" in done.stdout
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [call.split()[0] for call in calls] == ["venv", "pip", "pip"]
    assert all("--require-hashes" in call for call in calls[1:])
