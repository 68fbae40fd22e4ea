"""What docs/drift.md says is what the code does: its verdicts, its options, its workflows."""

import re
from pathlib import Path

import yaml

from promptci.cli import drift as cli
from promptci.drift.night import DriftVerdict

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "drift.md").read_text(encoding="utf-8")
WORKFLOWS = [text for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "\njobs:" in text]


def test_every_verdict_is_described() -> None:
    assert [verdict.value for verdict in DriftVerdict if f"| `{verdict}` |" not in PAGE] == []


def test_every_value_of_on_drift_is_described() -> None:
    assert [value for value in ("alert", "canary", "rollback") if f"| `{value}` |" not in PAGE] == []


def test_the_tables_were_measured() -> None:
    rows = re.findall(r"(?m)^\| (\d+) \| (\d+) \| ([\d.]+) \| ([\d.]+) \|$", PAGE)
    nights = {(int(prompts), int(cases)): float(five) for prompts, cases, five, _ in rows}
    assert len(nights) == 9
    assert nights[1, 100] <= 3.0


def test_the_workflows_call_the_command_as_it_is_and_state_their_rights() -> None:
    options = {name for parameter in cli.command.params for name in parameter.opts}
    assert len(WORKFLOWS) == 2
    for text in WORKFLOWS:
        workflow = yaml.safe_load(text)
        (job,) = workflow["jobs"].values()
        (line,) = re.findall(r"promptci drift [^\n]*", text)
        assert set(re.findall(r"--\w+", line)) <= options
        assert workflow["permissions"] == {}
        assert job["concurrency"]["cancel-in-progress"] is False
