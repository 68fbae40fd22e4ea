"""No edit of goldens or names in the same pull request turns a harmful change of a prompt into a green one."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.openai_server import Call
from fakes.repo import RepoBuilder
from support.cli_runs import CommandResult, run_command
from support.daily import first_daily, some_daily
from support.repositories import BAD, GOLDENS, GOOD, PROMPT, config, prompt, serving, shop

COUNT, BROKEN = 75, 15
HARMLESS = "Copy the order number, nothing else."
MOVED = "src/order.prompt.yml"
Row = dict[str, Any]
Edit = Callable[[RepoBuilder], object]


def model(call: Call) -> str:
    """Copy the number; with the harmful prompt, chat in the first `BROKEN` cases."""
    number = re.search(r"GH-(\d+)", call.last_user_message)
    if number is None:
        return "I see no number."
    chatty = "chatty" in call.body["messages"][0]["content"] and int(number[1]) < 1000 + BROKEN
    return f"Sure! Your number is {number[0]}" if chatty else number[0]


def make_rows(**fields: Any) -> list[Row]:
    return [
        {"id": f"c{i:03}", "vars": {"input": f"where is GH-{1000 + i}?"}, "expected": f"GH-{1000 + i}", **fields}
        for i in range(COUNT)
    ]


def dump(rows: list[Row]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def edit_rows(change: Callable[[list[Row]], list[Row]]) -> Edit:
    """Return an edit of the golden file."""
    return lambda builder: builder.write({GOLDENS: dump(change(make_rows()))}) and None


def each(change: Callable[[Row], Row], *, start: int = 0, end: int = COUNT) -> Edit:
    """Return an edit of the golden cases from `start` to `end`."""
    return edit_rows(lambda rows: [*rows[:start], *map(change, rows[start:end]), *rows[end:]])


def add_dummy_prompts(builder: RepoBuilder) -> None:
    for i in range(8):
        row = {"vars": {"input": f"where is GH-{9000 + i}?"}, "expected": f"GH-{9000 + i}"}
        builder.write({f"prompts/dummy{i}.prompt.yml": prompt(GOOD), f"goldens/dummy{i}.jsonl": dump([row])})


def quarantine(builder: RepoBuilder) -> None:
    entry = "- {{case: c{:03}, owner: Ann, until: 2099-01-01, reason: flaky}}\n"
    builder.write({"goldens/order.quarantine.yml": "".join(entry.format(i) for i in range(BROKEN))})


def move_out_of_reach(builder: RepoBuilder) -> None:
    builder.rename(PROMPT, "prompts/order.PROMPT.YML")


def write_name(builder: RepoBuilder) -> None:
    path = builder.path / PROMPT
    path.write_text(f"{path.read_text()}name: order-v2\n")


def rename_with_goldens(builder: RepoBuilder) -> None:
    builder.rename(PROMPT, "prompts/order-v2.prompt.yml").rename(GOLDENS, "goldens/order-v2.jsonl")


def take_over_name(builder: RepoBuilder) -> None:
    """Move the prompt's name to a new file; the old one stays as it was, under another name."""
    edited = (builder.path / PROMPT).read_text()
    builder.write({"prompts/aaa.prompt.yml": f"{edited}name: order\n", PROMPT: f"{prompt(GOOD)}name: spare\n"})
    builder.write({"goldens/spare.jsonl": dump(make_rows())})


def leave_good_copy(builder: RepoBuilder) -> None:
    """Rename the edited prompt; an unedited copy keeps the old name."""
    edited = (builder.path / PROMPT).read_text()
    builder.write({"prompts/aaa.prompt.yml": f"{prompt(GOOD)}name: order\n", PROMPT: f"{edited}name: spare\n"})
    builder.write({"goldens/spare.jsonl": dump(make_rows())})


def rename_variable(builder: RepoBuilder) -> None:
    path = builder.path / PROMPT
    path.write_text(path.read_text().replace("{{input}}", "{{question}}"))
    builder.write({GOLDENS: dump([{**row, "vars": {"question": row["vars"]["input"]}} for row in make_rows()])})


def add_evaluator(builder: RepoBuilder) -> None:
    path = builder.path / PROMPT
    evaluator = "evaluators:\n  - {name: number, string: {contains: GH-}}\n"
    path.write_text(path.read_text() + evaluator)


def narrow_include(builder: RepoBuilder) -> None:
    settings = json.loads((builder.path / "promptci.yml").read_text())
    builder.write({"promptci.yml": json.dumps({**settings, "prompts": {"include": ["other/*.prompt.yml"]}})})


def relax_gate(builder: RepoBuilder) -> None:
    settings = json.loads((builder.path / "promptci.yml").read_text())
    builder.write({"promptci.yml": json.dumps({**settings, "gate": {"mode": "advise", "max_drop": 1.0}})})


def rewrite_out_of_reach(path: str) -> Edit:
    """Return an edit that deletes the prompt, and adds another text of the same name where no pattern looks."""
    rewritten = 'name: order\nmessages:\n  - {role: user, content: "Be chatty about {{input}}"}\nmodel: fake-1\n'
    return lambda builder: builder.remove(PROMPT).write({path: rewritten}) and None


EDITS: dict[str, Edit] = {
    "none": lambda _: None,
    "delete the broken cases": edit_rows(lambda rows: rows[BROKEN:]),
    "delete all cases but one": edit_rows(lambda rows: rows[-1:]),
    "empty the file": edit_rows(lambda _: []),
    "delete the file": lambda builder: builder.remove(GOLDENS) and None,
    "reverse the order": edit_rows(lambda rows: rows[::-1]),
    "least weight": each(lambda row: {**row, "weight": 0.01}, end=BROKEN),
    "weight zero": each(lambda row: {**row, "weight": 0}, end=BROKEN),
    "most weight on the others": each(lambda row: {**row, "weight": 100}, start=BROKEN),
    "rename the broken cases": each(lambda row: {**row, "id": f"new-{row['id']}"}, end=BROKEN),
    "rename all cases": each(lambda row: {**row, "id": f"new-{row['id']}"}),
    "drop all ids": each(lambda row: {key: value for key, value in row.items() if key != "id"}),
    "swap ids": edit_rows(lambda rows: [{**a, "id": b["id"]} for a, b in zip(rows, rows[::-1], strict=True)]),
    "append a blank": each(lambda row: {**row, "vars": {"input": row["vars"]["input"] + " "}}, end=BROKEN),
    "add an unused variable": each(lambda row: {**row, "vars": {**row["vars"], "unused": "x"}}, end=BROKEN),
    "replace the inputs": each(lambda row: {**row, "vars": {"input": "where is GH-5000?"}}, end=BROKEN),
    "loosen the expectation": each(lambda row: {**row, "assert": [{"type": "contains"}]}, end=BROKEN),
    "expect the new answers": each(
        lambda row: {**row, "expected": f"Sure! Your number is {row['expected']}"}, end=BROKEN
    ),
    "make assertions advisory": each(lambda row: {**row, "assert": [{"type": "equals", "weight": 0}]}, end=BROKEN),
    "one cluster for all": each(lambda row: {**row, "cluster": "all"}),
    "one cluster for the broken": each(lambda row: {**row, "cluster": "broken"}, end=BROKEN),
    "duplicate the easy cases": edit_rows(lambda rows: rows + [{**r, "id": f"{r['id']}-2"} for r in rows[BROKEN:]]),
    "dilute with easy cases": edit_rows(
        lambda rows: [*rows, *({**r, "id": f"x{i}-{r['id']}"} for i in range(3) for r in rows[BROKEN:])]
    ),
    "add dummy prompts": add_dummy_prompts,
    "quarantine the broken cases": quarantine,
    "move out of reach": move_out_of_reach,
    "rewrite in a vendored folder": rewrite_out_of_reach("node_modules/p/order.prompt.yml"),
    "rewrite under another ending": rewrite_out_of_reach("prompts/order.yml"),
    "rewrite as text": lambda builder: builder.remove(PROMPT).write({"prompts/order.md": "Be chatty."}) and None,
    "rewrite as another format": lambda builder: (
        builder.remove(PROMPT).write({"src/order.prompty": "system:\nBe chatty.\nuser:\n{{input}}\n"}) and None
    ),
    "rewrite in a file of another name": rewrite_out_of_reach("src/config.yaml"),
    "move the file": lambda builder: builder.rename(PROMPT, MOVED) and None,
    "write another name": write_name,
    "rename prompt and goldens": rename_with_goldens,
    "rename the goldens": lambda builder: builder.rename(GOLDENS, "goldens/other.jsonl") and None,
    "give the name to another file": take_over_name,
    "leave a good copy under the name": leave_good_copy,
    "rename a variable": rename_variable,
    "add an evaluator": add_evaluator,
    "narrow the include": narrow_include,
    "relax the gate": relax_gate,
}


def check_with_edit(folder: Path, instruction: str, name: str) -> CommandResult:
    """Run `check` on a pull request that rewrites the prompt and makes one more edit."""
    with serving(model) as server:
        builder = shop(folder, {PROMPT: prompt(GOOD), GOLDENS: dump(make_rows())}, server)
        builder.write({PROMPT: prompt(instruction)})
        EDITS[name](builder)
        builder.commit()
        return run_command(builder.path, ["check", "--base", "main"], folder / "out")


BLIND_EDITS = ("delete the broken cases", "loosen the expectation", "expect the new answers")
"""After these the change's own goldens see nothing."""


@pytest.mark.parametrize("name", first_daily(BLIND_EDITS))
def test_what_the_edited_goldens_would_say_stands_beside_what_base_s_say(tmp_path: Path, name: str) -> None:
    check_with_edit(tmp_path, BAD, name)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    text = next(f["text"] for f in report["prompts"][0]["findings"] if f["rule"] == "goldens-compared")
    assert re.search("with the goldens of base: fail, .*; with this change's: pass, ", text), text
    comment = (tmp_path / "out" / "comment.md").read_text()
    assert "| base's (these decide) | ❌ Fail | 100% → 80% | 75 |" in comment


@pytest.mark.parametrize("name", some_daily(EDITS, 12))
def test_no_edit_makes_a_harmful_change_mergeable(tmp_path: Path, name: str) -> None:
    result = check_with_edit(tmp_path, BAD, name)
    sys.stdout.write(f"harmful | {name} | {result.verdict} | {result.exit_code} | {', '.join(result.rules)}\n")
    assert result.exit_code in {1, 2, 4}, (result.verdict, result.rules, result.text)
    if name == "none":
        assert result.verdict == "fail", result.text


MODEL_EDITS: dict[str, dict[str, Any]] = {
    "default model": {"model": "chatty-1"},
    "model of a name": {"models": {"fake-1": "chatty-1"}},
    "model of all names": {"models": {"*": "chatty-1"}},
}


@pytest.mark.parametrize("name", MODEL_EDITS)
def test_models_of_an_edited_configuration_are_asked(tmp_path: Path, name: str) -> None:
    answer = lambda call: "Sure!" if call.body["model"] == "chatty-1" else model(call)  # noqa: E731
    with serving(answer) as server:
        without_model = prompt(GOOD).replace("model: fake-1\n", "")
        files = {PROMPT: without_model, GOLDENS: dump(make_rows()[:20])}
        provider = {"model": "fake-1", "base_url": server.base_url}
        builder = shop(tmp_path, {**files, "promptci.yml": config(provider=provider)})
        builder.write({"promptci.yml": config(provider=provider | MODEL_EDITS[name])}).commit()
        result = run_command(builder.path, ["check", "--base", "main"], tmp_path / "out")
    assert (result.verdict, result.exit_code) == ("fail", 1), result.text
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["prompts"][0]["change_reasons"] == ["model changed", "configuration changed"]
    asked = [call.body["model"] for call in server.calls]
    assert (asked.count("fake-1"), asked.count("chatty-1")) == (20, 20)


def test_model_that_base_would_map_to_another_is_asked_all_the_same(tmp_path: Path) -> None:
    answer = lambda call: "Sure!" if call.body["model"] == "b" else model(call)  # noqa: E731
    with serving(answer) as server:
        files = {PROMPT: prompt(GOOD), GOLDENS: dump(make_rows()[:20])}
        provider = {"models": {"fake-1": "a", "b": "a"}, "base_url": server.base_url}
        builder = shop(tmp_path, {**files, "promptci.yml": config(provider=provider)})
        edited = config(provider={**provider, "models": {"fake-1": "b"}})
        builder.write({"promptci.yml": edited}).commit()
        result = run_command(builder.path, ["check", "--base", "main"], tmp_path / "out")
    assert result.verdict == "fail", result.text
    assert {call.body["model"] for call in server.calls} == {"a", "b"}


def test_default_model_that_is_taken_away_is_an_error(tmp_path: Path) -> None:
    with serving(model) as server:
        files = {PROMPT: prompt(GOOD).replace("model: fake-1\n", ""), GOLDENS: dump(make_rows()[:20])}
        provider = {"model": "fake-1", "base_url": server.base_url}
        builder = shop(tmp_path, {**files, "promptci.yml": config(provider=provider)})
        builder.write({"promptci.yml": config(server)}).commit()
        result = run_command(builder.path, ["check", "--base", "main"], tmp_path / "out")
    assert result.verdict == "error", result.text
    assert "`model` is missing" in result.text


ERRORS_OF_A_HARMLESS_CHANGE = {
    "delete the file", "empty the file", "weight zero", "move out of reach", "rename the goldens", "write another name",
    "rename a variable", "make assertions advisory", "rewrite in a vendored folder", "rewrite under another ending",
    "narrow the include", "rewrite in a file of another name", "rewrite as text", "rewrite as another format",
}  # fmt: skip
"""Edits that leave nothing to test by, or that base's cases cannot answer: each is an `error` that says what to do."""


@pytest.mark.long
@pytest.mark.parametrize("name", EDITS)
def test_no_edit_turns_a_harmless_change_into_a_regression(tmp_path: Path, name: str) -> None:
    result = check_with_edit(tmp_path, HARMLESS, name)
    sys.stdout.write(f"harmless | {name} | {result.verdict} | {result.exit_code} | {', '.join(result.rules)}\n")
    assert result.verdict != "fail", result.text
    if name not in ERRORS_OF_A_HARMLESS_CHANGE:
        assert result.exit_code == 0, (result.verdict, result.rules, result.text)
