"""What `promptci import promptfoo` makes of prompts, tests and assertions, and what it names as left out."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fakes.repo import RepoBuilder
from openpyxl import Workbook
from support.cli_runs import call_promptci

from promptci.errors import InputError
from promptci.git import globs
from promptci.goldens.load import load_goldens
from promptci.prompts.load import load_prompt
from promptci.prompts.promptfoo.assertions import (
    NoCounterpartError,
    convert_assertion,
    parse_expected_column,
)
from promptci.prompts.promptfoo.config import dump_cases
from promptci.prompts.promptfoo.load import load_promptfoo
from promptci.prompts.promptfoo.providers import read_provider
from promptci.scoring import check_assertions

CONFIG = """\
description: Orders
prompts:
  - 'Copy the number from {{text}}'
  - file://prompts/chat.json
  - prompts/two.txt
  - prompts/make.py:build
  - '{% if b %}x{% endif %}{% for x in a %}x{% endfor %}'
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
        ("prompt-5", 1),
    ]
    assert (config.model, config.parameters) == ("gpt-4o", {"temperature": 0, "max_tokens": 9})
    latency = {"type": "latency", "max_ms": 500}
    short = {"type": "length", "max": 8, "unit": "utf16"}
    second = [latency, {"type": "equals", "value": "GH-2", "trim": False}, short]
    assert config.cases == [
        {
            "vars": {"tone": "kind", "text": "GH-1", "a": ""},
            "assert": [
                latency,
                {"type": "equals", "value": "GH-1", "trim": False, "weight": 2},
                {"type": "judge", "rubric": "is kind"},
            ],
            "description": "one",
        },
        {
            "vars": {"tone": "kind", "text": "GH-2", "a": ""},
            "assert": [{"type": "assert-set", "assert": second, "threshold": 0.4}],
            "description": "second",
        },
    ]
    assert config.notes == ["the variable `a`, which a test lacks, is empty"]
    assert config.left_out == [
        "the prompt `prompts/make.py:build`",
        "the provider `anthropic:messages:claude`",
        "the assertion `judge among assertions that count as one`",
    ]
    goldens = load_goldens({"g.jsonl": dump_cases(config).encode()})
    assert check_assertions.find_problems(goldens.cases) == []


@pytest.mark.parametrize(
    ("assertion", "expected"),
    [
        ({"type": "not-contains", "value": "a"}, {"type": "not-contains", "value": "a", "ignore_case": False}),
        ({"type": "not-icontains", "value": "a"}, {"type": "not-icontains", "value": "a"}),
        ({"type": "contains-json"}, {"type": "contains-json"}),
        (
            {"type": "is-json", "value": {"type": "object"}},
            {"type": "json-schema", "value": {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}},
        ),
        ({"type": "word-count", "value": {"max": 5}}, {"type": "length", "max": 5, "unit": "words"}),
        ({"type": "similar", "value": "hi"}, {"type": "similar", "to": "hi", "at_least": 0.75}),
        ({"type": "javascript", "value": "output.length >= 20;"}, {"type": "length", "min": 20, "unit": "utf16"}),
        ({"type": "javascript", "value": "output.includes('x')"}, {"type": "contains", "value": "x"}),
        (
            {"type": "javascript", "value": "JSON.parse(output).a.b[0] === 'c'"},
            {"type": "json-path", "path": "$.a.b[0]", "value": "c"},
        ),
        ({"type": "javascript", "value": "JSON.parse(output).n==4"}, {"type": "json-path", "path": "$.n", "value": 4}),
        ({"type": "javascript", "value": "JSON.parse(output).ok === false"},
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
        {"type": "javascript", "value": "return output === 'a'"},  # an error in promptfoo, which adds its own `return`
        {"type": "javascript", "value": "output.length < 9 || fetch('x')"},
        {"type": "not-latency", "threshold": 5},
        {"type": "regex", "value": "(?i)a"},
        {"type": "is-sql"},
        {"type": "assert-set", "assert": [{"type": "llm-rubric", "value": "kind"}]},
        {"type": "is-json", "value": {"properties": {"a": {"format": "email"}}}},
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
        {"type": "is-json", "value": None},
    ]


@pytest.mark.parametrize("text", ["a: &a [*a]", "- 1", "prompts: !!python/object:os.system x", "[" * 10_000])
def test_a_hostile_configuration_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        load_promptfoo("c.yaml", {"c.yaml": text.encode()}.get)


def test_files_are_written_once(tmp_path: Path) -> None:
    builder = RepoBuilder(tmp_path / "shop").write(FILES)
    done = call_promptci(["import", "promptfoo"], builder.path, {})
    assert (done.returncode, "left out: the provider `anthropic:messages:claude`" in done.stdout) == (0, True)
    text = (builder.path / "prompts/chat.prompt.yml").read_bytes()
    prompt = load_prompt("prompts/chat.prompt.yml", text, lambda _: None)
    assert [(m.role, m.content) for m in prompt.messages] == [("system", "Be {{tone}}."), ("user", "{{text}}")]
    assert (prompt.model, prompt.parameters) == ("gpt-4o", {"temperature": 0, "max_tokens": 9})
    cases = [json.loads(line) for line in (builder.path / "goldens/chat.jsonl").read_text().splitlines()]
    assert "one" not in [case.get("description") for case in cases]  # an assertion of it is code
    assert "tests, of which something that decides is left out: number 1 (`one`)" in done.stdout
    again = call_promptci(["import", "promptfoo"], builder.path, {})
    assert (again.returncode, "Already there: prompts/prompt-1.prompt.yml" in again.stderr) == (2, True)


@pytest.mark.parametrize(
    ("written", "model", "base_url", "key"),
    [
        ("openai:gpt-4o", "gpt-4o", "https://api.openai.com/v1", "OPENAI_API_KEY"),
        ("openai:chat:ft:gpt-4o:me", "ft:gpt-4o:me", "https://api.openai.com/v1", "OPENAI_API_KEY"),
        ("anthropic:messages:claude-x", "claude-x", "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY"),
        ("ollama:chat:llama3.1:8b", "llama3.1:8b", "http://localhost:11434/v1", None),
        ("openrouter:meta/llama", "meta/llama", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
        ("google:gemini-2.5-flash", "gemini-2.5-flash", "https://generativelanguage.googleapis.com/v1beta/openai",
         "GEMINI_API_KEY"),
        ({"id": "azure:chat:mine", "config": {"apiHost": "x.openai.azure.com"}}, "mine",
         "https://x.openai.azure.com/openai/v1", "AZURE_API_KEY"),
        ({"id": "openai:chat:m", "config": {"apiBaseUrl": "http://h/v1", "apiKeyEnvar": "K"}}, "m", "http://h/v1", "K"),
        ("exec:touch x", "", None, None),
        ("file://provider.py", "", None, None),
    ],
)  # fmt: skip
def test_providers_have_their_endpoints(written: Any, model: str, base_url: str | None, key: str | None) -> None:
    provider = read_provider(written)
    assert (provider.model, provider.base_url, provider.api_key_env) == (model, base_url, key)


def test_the_endpoint_is_imported_where_there_is_no_configuration(tmp_path: Path) -> None:
    config = "prompts: ['{{a}}']\nproviders: [ollama:llama3]\ntests: [{vars: {a: x}, assert: [{type: is-json}]}]\n"
    builder = RepoBuilder(tmp_path / "shop").write({"promptfooconfig.yaml": config})
    assert call_promptci(["import", "promptfoo"], builder.path, {}).returncode == 0
    assert (builder.path / "promptci.yml").read_text() == (
        'provider:\n  base_url: "http://localhost:11434/v1"\n  api_key_env: ""\n'
    )


ELSEWHERE = 'provider: {base_url: "https://llm.example/v1", api_key_env: LLM_KEY}\n'
TEST = "tests: [{vars: {a: x}, assert: [{type: is-json}]}]\n"


@pytest.mark.parametrize(
    ("providers", "settings", "lines"),
    [
        ("[ollama:llama3]", ELSEWHERE,
         [("left out: the endpoint http://localhost:11434/v1: promptci.yml asks https://llm.example/v1. To use"
           " promptfoo's, write"
           ' `provider: {base_url: "http://localhost:11434/v1", api_key_env: ""}` in promptci.yml')]),
        ("[openai:gpt-4o]", 'provider: {api_key_env: ""}\n',
         [("left out: the endpoint https://api.openai.com/v1 with the key in OPENAI_API_KEY: promptci.yml asks"
          " https://api.openai.com/v1 without a key. To use promptfoo's, write"
          ' `provider: {base_url: "https://api.openai.com/v1", api_key_env: "OPENAI_API_KEY"}` in promptci.yml')]),
        ("[openai:gpt-4o]", "run: {repeats: 1}\n", []),
        ('[{id: "openai:m", config: {apiBaseUrl: "https://llm.example/v1/", apiKeyEnvar: LLM_KEY}}]', ELSEWHERE, []),
        ("[exec:run.sh]", ELSEWHERE,
         [("note: https://llm.example/v1 is asked instead. To change that, write"
          " `provider: {base_url: …, api_key_env: …}`, or for a program `provider: {kind: command, run: […]}`,"
          " in promptci.yml"),
          "note: promptfoo's configuration names no model that is known here, so the prompts name `gpt-4o-mini`",
          "left out: the provider `exec:run.sh`, of which no OpenAI-compatible endpoint is known"]),
    ],
)  # fmt: skip
def test_an_endpoint_that_is_not_imported_is_named_with_what_to_write(
    providers: str, settings: str, lines: list[str], tmp_path: Path
) -> None:
    text = f"prompts: ['{{{{a}}}}']\nproviders: {providers}\n{TEST}"
    builder = RepoBuilder(tmp_path / "shop").write({"promptfooconfig.yaml": text, "promptci.yml": settings})
    done = call_promptci(["import", "promptfoo"], builder.path, {})
    assert [line for line in done.stdout.splitlines() if not line.startswith(("written: ", "1 case"))] == lines
    assert (builder.path / "promptci.yml").read_text() == settings
    notes = [
        line for line in call_promptci(["doctor"], builder.path, {}).stdout.splitlines() if "note: promptfoo" in line
    ]
    assert len(notes) == bool(lines)


def test_the_model_of_promptci_yml_is_asked_where_promptfoo_names_none(tmp_path: Path) -> None:
    files = {"promptfooconfig.yaml": "prompts: ['{{a}}']\n" + TEST, "promptci.yml": "provider: {model: mine}\n"}
    builder = RepoBuilder(tmp_path / "shop").write(files)
    done = call_promptci(["import", "promptfoo"], builder.path, {})
    assert "note: the prompts name no model: that of promptci.yml is asked, `mine`\n" in done.stdout
    assert "model:" not in (builder.path / "prompts/prompt-1.prompt.yml").read_text()


@pytest.mark.parametrize(
    ("provider", "left_out"),
    [
        ({"id": "openai:m", "config": {"apiBaseUrl": "{{env.BASE}}/v1"}},
         ["`{{env.BASE}}/v1` of the provider, which is not filled in"]),
        ({"openai:m": {"config": {"temperature": 0}, "prompts": ["a"]}}, ["`prompts` of the provider"]),
        ({"id": "openai:m", "config": {"temprature": 0}, "lable": "x"},
         ["`temprature` (did you mean `temperature`?) of the provider",
          "`lable` (did you mean `label`?) of the provider"]),
    ],
)  # fmt: skip
def test_what_a_provider_has_besides_is_named(provider: Any, left_out: list[str]) -> None:
    assert read_provider(provider).left_out == left_out


def test_a_misspelt_key_is_named_with_the_one_that_is_meant() -> None:
    config = load_promptfoo("c.yaml", {"c.yaml": b"prompts: ['{{a}}']\ndefaultTests: {}\nredteam: {}\n"}.get)
    assert config.left_out == ["`defaultTests` (did you mean `defaultTest`?)", "`redteam`"]


def test_scenarios_templates_and_default_files_are_read() -> None:
    files = {
        "c.yaml": b"""
prompts: {p.txt: mine}
assertionTemplates: {short: {type: javascript, value: output.length < 9}}
defaultTest: file://d.yaml
scenarios:
  - config: [{vars: {a: one}}, {vars: {a: two}, assert: [{type: is-json}]}]
    tests: [{vars: {b: x}, assert: [{$ref: '#/assertionTemplates/short', weight: 3}]}]
""",
        "p.txt": b"{{a}} {{b}} {{c}}",
        "d.yaml": b"vars: {c: z}\n",
    }
    config = load_promptfoo("c.yaml", files.get)
    short = {"type": "length", "max": 8, "unit": "utf16", "weight": 3}
    assert [(case["vars"], case["assert"]) for case in config.cases] == [
        ({"c": "z", "a": "one", "b": "x"}, [short]),
        ({"c": "z", "a": "two", "b": "x"}, [{"type": "is-json"}, short]),
    ]
    assert (config.prompts[0].name, config.left_out) == ("mine", [])


ASSERTED = "assert: [{type: contains, value: x}]"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("defaultTest: {options: {transform: output.trim()}}\ntests: [{vars: {a: x}, ASSERTED}]",
         "`defaultTest.options`"),
        ("defaultTest: file://d.py\ntests: [{vars: {a: x}, ASSERTED}]",
         "`defaultTest`, which is not a file that is read"),
        ("providers: [{id: 'openai:m', transform: output.trim()}]\ntests: [{vars: {a: x}, ASSERTED}]",
         "`transform` of the provider"),
        ("tests: [{vars: {a: x, b: '{{a | upper}}'}, ASSERTED}]", "the variable `b`, which is a template"),
        ("tests: [{vars: {a: x, b: {c: ['{{z}}']}}, ASSERTED}]", "the variable `b`, which is a template"),
        ("tests: [{vars: {a: x}, assert: [{type: not-contains, value: '{{a | upper}}'}]}]",
         "the assertion `not-contains with a template in its value`"),
        ("tests: [{vars: {a: x}, assert: [{type: contains-any, value: [b, '{% if a %}{% endif %}']}]}]",
         "the assertion `contains-any with a template in its value`"),
        ("tests: [{vars: file://v.py, ASSERTED}]", "the variable `vars`, which is `file://v.py`"),
        ("tests: file://t.csv", "`__suffix` of a test"),
    ],
)  # fmt: skip
def test_a_test_of_which_a_part_is_not_read_is_never_run(text: str, named: str) -> None:
    files = {
        "c.yaml": ("prompts: ['{{a}}']\n" + text.replace("ASSERTED", ASSERTED)).encode(),
        "t.csv": b"a,__suffix,__expected\nx,!,contains:x\n",
        "v.py": b"",
    }
    config = load_promptfoo("c.yaml", files.get)
    assert named in config.left_out
    assert (len(config.cases), config.complete_cases) == (1, [])


def test_a_model_that_grades_leaves_nothing_out_and_variables_may_be_in_a_file() -> None:
    text = b"""
prompts: ['{{a}}']
defaultTest: {options: {provider: openai:gpt-4o}, vars: [file://v.yaml]}
tests: [{vars: w.json, options: {rubricPrompt: x}, assert: [{type: contains, value: x}]}]
"""
    config = load_promptfoo("c.yaml", {"c.yaml": text, "v.yaml": b"a: x\nb: y", "w.json": b'{"b": "z"}'}.get)
    assert (config.left_out, [case["vars"] for case in config.complete_cases]) == ([], [{"a": "x", "b": "z"}])


def test_patterns_name_files_in_the_folder_of_the_configuration() -> None:
    config = b"""
prompts: ['file://prompts/*.txt', 'chats/**/*.json', 'file://none/*.txt']
tests: ['file://cases/*.{yaml,csv}', {path: 'file://more/*.jsonl'}]
defaultTest: {vars: 'file://vars/*.json'}
"""
    files = {
        "evals/c.yaml": config,
        "evals/prompts/b.txt": b"B {{a}}",
        "evals/prompts/a.txt": b"A {{a}}",
        "evals/chats/x/y.json": b'[{"role": "user", "content": "C {{a}}"}]',
        "prompts/out.txt": b"outside {{a}}",
        "evals/cases/1.yaml": b"[{vars: {a: one}, assert: [{type: contains, value: x}]}]",
        "evals/cases/2.csv": b"a,__expected\ntwo,contains:x\n",
        "evals/more/3.jsonl": b'{"vars": {"a": "three"}, "assert": [{"type": "contains", "value": "x"}]}\n',
        "evals/vars/v.json": b'{"b": "c"}',
    }
    loaded = load_promptfoo("evals/c.yaml", files.get, lambda pattern: globs.filter_paths(pattern, sorted(files)))
    assert [prompt.name for prompt in loaded.prompts] == ["a", "b", "y"]
    assert [case["vars"]["a"] for case in loaded.complete_cases] == ["one", "two", "three"]
    assert all(case["vars"]["b"] == "c" for case in loaded.cases)
    assert loaded.left_out == ["the prompt `file://none/*.txt`"]


def test_a_sheet_of_tests_means_what_the_same_csv_does() -> None:
    rows: list[list[str | float | None]] = [
        ["a", "__expected", "__description", "", "__threshold"],
        ["one", "contains:x", "first", None, 0.5],
        [None] * 5,
        ["two", "is-json", None, "beyond", None],
    ]
    book = Workbook()
    sheet = book.create_sheet(index=0)
    for row in rows:
        sheet.append(row)
    book.save(data := BytesIO())
    table = b"a,__expected,__description,__threshold\none,contains:x,first,0.5\ntwo,is-json,,\n"
    cases = []
    for name, content in (("t.xlsx", data.getvalue()), ("t.csv", table)):
        files = {"c.yaml": f"prompts: ['{{{{a}}}}']\ntests: [{name}]".encode(), name: content}
        loaded = load_promptfoo("c.yaml", files.get)
        assert loaded.left_out == []
        cases.append(loaded.complete_cases)
    assert cases[0] == cases[1]
    with pytest.raises(InputError, match="not an XLSX file"):
        load_promptfoo("c.yaml", {"c.yaml": b"prompts: [a]\ntests: [t.xlsx]", "t.xlsx": b"PK"}.get)


@pytest.mark.parametrize("pattern", ["../*.txt", "/etc/*", "file://../../*", "*" * 5000, "{" * 60 + "*", "**/" * 60])
def test_no_pattern_leaves_the_repository_or_takes_long(pattern: str) -> None:
    files = {"c.yaml": json.dumps({"prompts": ["{{a}}"], "tests": [pattern]}).encode(), "a.txt": b"x"}
    loaded = load_promptfoo("c.yaml", files.get, lambda text: globs.filter_paths(text, sorted(files)))
    assert (loaded.cases, len(loaded.left_out)) == ([], 1)


@pytest.mark.parametrize(
    ("prompts", "named"),
    [
        ("[{raw: '{{a}}', label: one, prefix: 'Hi '}]", "the prompt `one` with `prefix`"),
        ("""['[{"role": "user", "content": "a"}{% if a %}, {"role": "user", "content": "b"}{% endif %}]']""",
         "the prompt `prompt-1`, which is JSON of messages only once it is filled in"),
    ],
)  # fmt: skip
def test_a_prompt_that_would_be_sent_otherwise_is_left_out(prompts: str, named: str) -> None:
    config = load_promptfoo("c.yaml", {"c.yaml": f"prompts: {prompts}".encode()}.get)
    assert (config.prompts, named in config.left_out) == ([], True)


def test_parameters_of_one_prompt_are_named() -> None:
    config = load_promptfoo("c.yaml", {"c.yaml": b"prompts: [{raw: '{{a}}', config: {temperature: 1}}]"}.get)
    assert config.left_out == ["`config` of the prompt `{{a}}`"]
