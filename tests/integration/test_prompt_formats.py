"""The whole gate on prompts in other files than `.prompt.yml`: what changed, what was renamed, what is out of reach."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from fakes.repo import RepoBuilder
from support.cli_runs import CommandResult, run_command
from support.daily import first_daily
from support.repositories import BAD, GOOD, config, goldens, model, serving

from promptci.report.model.report import ReportView

TEXT = {"include": ["prompts/*.md", "prompts/*.txt", "prompts/*.j2"]}


def check(
    folder: Path, base: Mapping[str, str], head: Mapping[str, str | None], prompts: dict[str, Any]
) -> tuple[CommandResult, list[list[str]]]:
    """Check a change of files (None: deleted) and return the result with the verdict and status of each prompt."""
    with serving(model) as server:
        settings = config(server, provider={"model": "fake-1"}, prompts=prompts, run={"cache": None, "memory": None})
        builder = RepoBuilder(folder / "shop").write({"promptci.yml": settings, **base})
        builder.commit("base")
        builder.branch("pr")
        builder.write({path: text for path, text in head.items() if text is not None})
        for path in (path for path, text in head.items() if text is None):
            (builder.path / path).unlink()
        builder.commit("head")
        result = run_command(builder.path, ["check", "--base", "main"], folder / "out")
    report = folder / "out" / "report.json"
    prompts_there = ReportView.parse(report.read_bytes(), "report.json").prompts if report.exists() else []
    return result, [[prompt.name, prompt.status, prompt.verdict] for prompt in prompts_there]


@pytest.mark.parametrize(
    ("path", "good", "bad"),
    first_daily(
        [
            ("prompts/order.md", GOOD, BAD),
            ("prompts/order.md", f"---\ntemperature: 0\n---\n{GOOD}\n", f"---\ntemperature: 0\n---\n{BAD}\n"),
            ("prompts/order.txt", GOOD, BAD),
            ("prompts/order.j2", f"{{% if true %}}{GOOD}{{% endif %}}", f"{{% if true %}}{BAD}{{% endif %}}"),
        ],
        2,
    ),
)
def test_an_edited_text_is_compared_with_what_it_replaces(tmp_path: Path, path: str, good: str, bad: str) -> None:
    files = {path: good, "goldens/order.jsonl": goldens(12)}
    result, prompts = check(tmp_path, files, {path: bad}, TEXT)
    assert (result.verdict, prompts) == ("fail", [["order", "changed", "fail"]])


def test_a_changed_include_of_a_jinja_template_changes_the_prompt(tmp_path: Path) -> None:
    files = {
        "prompts/order.j2": "{% include 'parts/rule.j2' %}",
        "prompts/parts/rule.j2": GOOD,
        "goldens/order.jsonl": goldens(12),
    }
    result, prompts = check(tmp_path, files, {"prompts/parts/rule.j2": BAD}, TEXT)
    assert (result.verdict, prompts) == ("fail", [["order", "unchanged", "fail"]])


def test_a_moved_text_is_compared_or_named_as_out_of_reach(tmp_path: Path) -> None:
    files = {"prompts/order.md": f"{GOOD}\nBe brief.\nBe kind.\n", "goldens/order.jsonl": goldens(12)}
    moved = f"{GOOD}\nBe brief.\nBe polite.\n"
    result, prompts = check(tmp_path / "a", files, {"prompts/order.md": None, "prompts/order.txt": moved}, TEXT)
    assert [prompt[:2] for prompt in prompts] == [["order", "renamed"]]
    result, _ = check(tmp_path / "b", files, {"prompts/order.md": None, "src/order.md": moved}, TEXT)
    assert result.verdict == "error"
    assert "the prompt `order` was moved here from prompts/order.md" in result.text


def test_a_template_that_breaks_is_an_error_of_its_line(tmp_path: Path) -> None:
    files = {"prompts/order.j2": GOOD, "goldens/order.jsonl": goldens(12)}
    result, _ = check(tmp_path, files, {"prompts/order.j2": f"{GOOD}\n{{{{ cycler('a') }}}}"}, TEXT)
    assert result.verdict == "error"
    assert "prompts/order.j2:2: the call `cycler(…)` is not supported" in result.text


def test_a_variable_that_a_template_cannot_use_is_an_error_of_the_case(tmp_path: Path) -> None:
    files = {"prompts/order.j2": GOOD, "goldens/order.jsonl": goldens(2)}
    result, _ = check(tmp_path, files, {"prompts/order.j2": "{{ input + 1 }}"}, TEXT)
    assert result.verdict == "error"
    assert "cannot be filled into prompts/order.j2: arithmetic takes numbers" in result.text


def test_a_default_parameter_is_part_of_the_prompt(tmp_path: Path) -> None:
    files = {"prompts/order.md": GOOD, "goldens/order.jsonl": goldens(2)}
    with serving(model) as server:
        sections: dict[str, Any] = {"prompts": TEXT, "run": {"cache": None, "memory": None}}
        before, after = (
            config(server, provider={"model": "fake-1", "defaults": {"temperature": value}}, **sections)
            for value in (0, 1)
        )
        builder = RepoBuilder(tmp_path / "shop").write({"promptci.yml": before, **files})
        builder.commit("base")
        builder.branch("pr").write({"promptci.yml": after}).commit()
        result = run_command(builder.path, ["check", "--base", "main"], tmp_path / "out")
        sent = {json.dumps(call.body.get("temperature")) for call in server.calls}
    assert (result.verdict != "error", sent) == (True, {"0", "1"})


CODE = {"include": ["src/prompts.py:*_PROMPT"]}
OTHER = 'OTHER_PROMPT = "Say hello to everyone who writes in, and mean it."\n'
NAMED = ("goldens/ORDER_PROMPT.jsonl", "goldens/OTHER_PROMPT.jsonl")


def code(text: str, rest: str = OTHER) -> str:
    return f"import os\n\nORDER_PROMPT = {text!r}\n{rest}"


def test_an_edited_constant_is_compared_and_the_others_are_left_alone(tmp_path: Path) -> None:
    files = {"src/prompts.py": code(GOOD), **dict.fromkeys(NAMED, goldens(12))}
    result, prompts = check(tmp_path, files, {"src/prompts.py": "# moved\n" + code(BAD)}, CODE)
    assert (result.verdict, prompts) == ("fail", [["ORDER_PROMPT", "changed", "fail"]])
    assert "src/prompts.py" in (tmp_path / "out" / "results.sarif").read_text()


def test_a_change_elsewhere_in_the_file_is_no_change(tmp_path: Path) -> None:
    files = {"src/prompts.py": code(GOOD), **dict.fromkeys(NAMED, goldens(2))}
    result, prompts = check(
        tmp_path, files, {"src/prompts.py": code(GOOD) + "\n\ndef f():\n    return os.name\n"}, CODE
    )
    assert (result.verdict, prompts) == ("no-change", [])


MOVES = {
    "renamed without its goldens": (
        code(GOOD).replace("ORDER_PROMPT", "SHIP_PROMPT"),
        "these goldens of `ORDER_PROMPT` no longer belong to any prompt",
        "",
    ),
    "renamed out of reach": (
        code(GOOD).replace("ORDER_PROMPT", "ORDER_TEXT"),
        "the prompt `ORDER_PROMPT` was moved here from src/prompts.py:ORDER_PROMPT, where no pattern reaches it",
        "",
    ),
    "computed": (
        f"import os\nORDER_PROMPT = os.environ['X']\n{OTHER}",
        "src/prompts.py:2: `ORDER_PROMPT` cannot be read: `os.environ['X']` is computed when the program runs",
        "",
    ),
    "deleted": (OTHER, None, "deleted"),
    "all deleted": ("import os\n", "nothing in this file matches `:*_PROMPT`, which `prompts.include` names", ""),
}


@pytest.mark.parametrize("name", MOVES)
def test_a_constant_that_is_gone_is_never_no_change(tmp_path: Path, name: str) -> None:
    text, message, status = MOVES[name]
    files = {"src/prompts.py": code(GOOD), **dict.fromkeys(NAMED, goldens(2))}
    result, prompts = check(tmp_path, files, {"src/prompts.py": text}, CODE)
    if message is None:
        assert [prompt[1] for prompt in prompts] == [status]
        assert result.verdict == "inconclusive"
    else:
        assert result.verdict == "error"
        assert message in " ".join(result.text.split())


def test_a_promptfoo_configuration_is_tested_where_it_lies(tmp_path: Path) -> None:
    cases = "".join(f"GH-{1000 + i},contains:GH-{1000 + i}\n" for i in range(12))
    files = {
        "promptfooconfig.yaml": "prompts: [file://prompts/order.json]\nproviders: [openai:fake-1]\ntests: cases.csv\n",
        "prompts/order.json": chat(GOOD),
        "cases.csv": f"input,__expected\n{cases}".replace("contains:", "equals:"),
    }
    patterns = {"include": ["promptfooconfig.yaml"]}
    result, prompts = check(tmp_path, files, {"prompts/order.json": chat(BAD)}, patterns)
    assert (result.verdict, prompts) == ("fail", [["order", "changed", "fail"]])
    assert "this is read as a promptfoo configuration" in (tmp_path / "out" / "comment.md").read_text(encoding="utf-8")


def test_a_chat_request_in_json_is_tested_where_it_lies(tmp_path: Path) -> None:
    files = {"prompts/order.json": chat(GOOD), "goldens/order.jsonl": goldens(12)}
    result, prompts = check(tmp_path, files, {"prompts/order.json": chat(BAD)}, {"include": ["prompts/*.json"]})
    assert (result.verdict, prompts) == ("fail", [["order", "changed", "fail"]])


def chat(instruction: str) -> str:
    return json.dumps([{"role": "system", "content": instruction}, {"role": "user", "content": "{{input}}"}])
