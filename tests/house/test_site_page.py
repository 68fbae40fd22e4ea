"""What docs/site.md says is what the command does, and its workflow has no right that it does not need."""

import re
from pathlib import Path

import yaml

from promptci.cli import site as cli

PAGE = (Path(__file__).parents[2] / "docs" / "site.md").read_text(encoding="utf-8")
(WORKFLOW,) = [text for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "\njobs:" in text]


def test_every_option_that_is_shown_is_one() -> None:
    options = {name for parameter in cli.command.params for name in parameter.opts}
    commands = re.findall(r"(?m)promptci site [^\n]*", PAGE)
    assert len(commands) > 3
    assert {option for line in commands for option in re.findall(r"--[a-z-]+", line)} <= options


def test_the_workflow_gives_the_rights_of_pages_to_the_job_that_deploys_alone() -> None:
    workflow = yaml.safe_load(WORKFLOW)
    assert workflow["permissions"] == {}
    assert workflow["jobs"]["build"]["permissions"] == {"contents": "read"}
    assert workflow["jobs"]["deploy"]["permissions"] == {"pages": "write", "id-token": "write"}
