"""The schemas for editors take the files that promptci takes, and refuse what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from promptci.config import schema as config_schema
from promptci.rollout import schema as deployment_schema

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "docs" / "schemas"
PROMPT_FILE, GOLDENS = SCHEMAS / "prompt-file.v1.json", SCHEMAS / "goldens.v1.json"
PUBLISHED = (config_schema.SCHEMA_FILE, deployment_schema.SCHEMA_FILE, PROMPT_FILE, GOLDENS)
PLACE = "https://raw.githubusercontent.com/promptci/promptci/main/"


def validator(path: Path) -> Draft202012Validator:
    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def cases() -> list[Any]:
    files = [*(ROOT / "example-repo" / "goldens").glob("*.jsonl"), *(ROOT / "templates" / "init").glob("*.jsonl")]
    lines = [line for file in files if ".labels." not in file.name for line in file.read_text("utf-8").splitlines()]
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.name)
def test_a_schema_has_its_address_and_is_in_the_page(path: Path) -> None:
    assert validator(path).schema["$id"] == PLACE + path.relative_to(ROOT).as_posix()  # type: ignore[index]  # an object
    assert f"[{path.name}]" in (ROOT / "docs" / "schemas.md").read_text(encoding="utf-8")


def test_our_own_files_are_taken() -> None:
    prompts = [path for folder in ("example-repo", "templates") for path in (ROOT / folder).rglob("*.prompt.yml")]
    assert len(prompts) > 5
    for path in prompts:
        validator(PROMPT_FILE).validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert len(cases()) > 100
    validator(GOLDENS).validate(cases())
    validator(GOLDENS).validate({"cases": cases()[:3]})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (PROMPT_FILE, {"mesages": []}),
        (PROMPT_FILE, {"messages": [{"role": "robot", "content": "x"}]}),
        (GOLDENS, [{"vars": {"input": "x"}, "expcted": "y"}]),
        (GOLDENS, [{"input": "x", "assert": [{"type": "containz"}]}]),
        (GOLDENS, [{"input": "x", "critical": "yes"}]),
        (GOLDENS, {"cases": [], "tests": []}),
    ],
)
def test_mistakes_are_refused(path: Path, value: object) -> None:
    assert not validator(path).is_valid(value)
