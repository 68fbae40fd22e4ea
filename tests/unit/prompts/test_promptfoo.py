"""What `promptci import promptfoo` makes of prompts, tests and assertions, and what it names as left out."""

import json
from pathlib import Path
from typing import Any

import pytest
from fakes.repo import RepoBuilder
from support.cli_runs import call_promptci

from promptci.errors import InputError
from promptci.goldens.load import load_goldens
from promptci.prompts.load import load_prompt
from promptci.prompts.promptfoo.assertions import (
    NoCounterpartError,
    convert_assertion,
    parse_expected_column,
)
from promptci.prompts.promptfoo.config import dump_cases, load_promptfoo
from promptci.scoring import check_assertions

CONFIG = """\
description: Orders
prompts:
  - 'Copy the number from {{text}}'
  - file://prompts/chat.json
  - prompts/two.txt
  - prompts/make.py:build
  - '{% if a %}x{% endif %}'
providers:
  - id: openai:chat:gpt-4o
    config: {temperature: 0, max_tokens: 9, apiKey: x}
  - anthropic:messages:claude
defaultTest:
  vars: {tone: kind}
  assert: [{type: latency, threshold: 500}]
tests:
  - description: one
    vars: {text: GH-1}
    assert:
      - {type: equals, value: GH-1, weight: 2}
      - {type: llm-rubric, value: is kind}
    threshold: 0.5
  - file://tests.csv
sharing: true
"""
FILES = {
    "promptfooconfig.yaml": CONFIG,
    "prompts/chat.json": '[{"role": "system", "content": "Be {{tone}}."}, {"role": "user", "content": "{{text}}"}]',
    "prompts/two.txt": "One {{text}}\n---\nTwo {{text}}\n",
    "tests.csv": "text,__expected,__expected2,__description,__threshold\nGH-2,GH-2,fn:output.length < 9,second,0.4\n",
}


def read(path: str) -> bytes | None:
    return FILES[path].encode() if path in FILES else None


def test_a_configuration_is_read() -> None:
    config = load_promptfoo("promptfooconfig.yaml", read)
    assert [(prompt.name, len(prompt.messages)) for prompt in config.prompts] == [
        ("prompt-1", 1),
        ("chat", 2),
        ("two-1", 1),
        ("two-2", 1),
    ]
    assert (config.model, config.parameters) == ("gpt-4o", {"temperature": 0, "max_tokens": 9})
    latency = {"type": "latency", "max_ms": 500}
    assert config.cases == [
        {
            "vars": {"tone": "kind", "text": "GH-1"},
            "assert": [{"type": "equals", "value": "GH-1", "trim": False, "weight": 2}, latency],
            "description": "one",
        },
        {
            "vars": {"tone": "kind", "text": "GH-2"},
            "assert": [{"type": "equals", "value": "GH-2", "trim": False}, {"type": "length", "max": 8}, latency],
            "description": "second",
        },
    ]
    assert config.left_out == [
        "`sharing`",
        "the prompt `prompts/make.py:build`",
        "the prompt `prompt-5`: `{% if a %}` needs a template engine; keep it as a .j2 file",
        "the provider `anthropic:messages:claude`",
        "`apiKey` of the provider",
        "`threshold` of a test",
        "the assertion `llm-rubric`",
        "the column `__threshold`",
    ]
    goldens = load_goldens({"g.jsonl": dump_cases(config).encode()})
    assert check_assertions.find_problems(goldens.cases) == []


@pytest.mark.parametrize(
    ("assertion", "expected"),
    [
        ({"type": "not-contains", "value": "a"}, {"type": "not-contains", "value": "a", "ignore_case": False}),
        ({"type": "not-icontains", "value": "a"}, {"type": "not-contains", "value": "a"}),
        ({"type": "contains-json"}, {"type": "is-json", "fenced": True}),
        ({"type": "is-json", "value": {"type": "object"}}, {"type": "json-schema", "value": {"type": "object"}}),
        ({"type": "word-count", "value": {"max": 5}}, {"type": "length", "max": 5, "unit": "words"}),
        ({"type": "similar", "value": "hi"}, {"type": "similar", "to": "hi", "at_least": 0.75}),
        ({"type": "javascript", "value": "output.length >= 20;"}, {"type": "length", "min": 20}),
        ({"type": "javascript", "value": "output.includes('x')"}, {"type": "contains", "value": "x"}),
        (
            {"type": "javascript", "value": "JSON.parse(output).a.b[0] === 'c'"},
            {"type": "json-path", "path": "$.a.b[0]", "value": "c"},
        ),
        ({"type": "javascript", "value": "JSON.parse(output).n==4"}, {"type": "json-path", "path": "$.n", "value": 4}),
        ({"type": "javascript", "value": "return JSON.parse(output).ok === false"},
         {"type": "json-path", "path": "$.ok", "value": False}),
    ],
)  # fmt: skip
def test_assertions_have_their_counterparts(assertion: dict[str, Any], expected: dict[str, Any]) -> None:
    assert convert_assertion(assertion) == expected


@pytest.mark.parametrize(
    "assertion",
    [
        {"type": "python", "value": "import os"},
        {"type": "javascript", "value": "process.exit(1)"},
        {"type": "javascript", "value": "output.length < 9 || fetch('x')"},
        {"type": "not-equals", "value": "a"},
        {"type": "contains", "value": "a", "transform": "output.trim()"},
        {"type": "equals", "value": "file://x.txt"},
        {},
    ],
)
def test_what_has_no_counterpart_is_never_half_checked(assertion: dict[str, Any]) -> None:
    with pytest.raises(NoCounterpartError):
        convert_assertion(assertion)


def test_cells_of_expected_columns_are_assertions() -> None:
    cells = ["hello", "contains:a: b", "latency(500):", "contains-any:a, b", "fn:x", "", "is-json"]
    assert [parse_expected_column(cell) for cell in cells] == [
        {"type": "equals", "value": "hello"},
        {"type": "contains", "value": "a: b"},
        {"type": "latency", "value": None, "threshold": 500.0},
        {"type": "contains-any", "value": ["a", "b"]},
        {"type": "javascript", "value": "x"},
        None,
        {"type": "is-json"},
    ]


@pytest.mark.parametrize("text", ["a: &a [*a]", "- 1", "prompts: !!python/object:os.system x", "[" * 10_000])
def test_a_hostile_configuration_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        load_promptfoo("c.yaml", {"c.yaml": text.encode()}.get)


def test_files_are_written_once(tmp_path: Path) -> None:
    builder = RepoBuilder(tmp_path / "shop").write(FILES)
    done = call_promptci(["import", "promptfoo"], builder.path, {})
    assert (done.returncode, "left out: the assertion `llm-rubric`" in done.stdout) == (0, True)
    text = (builder.path / "prompts/chat.prompt.yml").read_bytes()
    prompt = load_prompt("prompts/chat.prompt.yml", text, lambda _: None)
    assert [(m.role, m.content) for m in prompt.messages] == [("system", "Be {{tone}}."), ("user", "{{text}}")]
    assert (prompt.model, prompt.parameters) == ("gpt-4o", {"temperature": 0, "max_tokens": 9})
    assert json.loads((builder.path / "goldens/chat.jsonl").read_text().split("\n")[0])["description"] == "one"
    again = call_promptci(["import", "promptfoo"], builder.path, {})
    assert (again.returncode, "Already there: prompts/prompt-1.prompt.yml" in again.stderr) == (2, True)
