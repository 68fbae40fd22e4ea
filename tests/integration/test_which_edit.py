"""A failed check says which edit of the prompt broke its cases, and asks no more than it may."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.openai_server import Call, Reply, error
from support.cli_runs import CommandResult, run_command
from support.daily import first_daily
from support.repositories import GOLDENS, PROMPT, config, goldens, model, prompt, serving, shop

BEFORE = "You work for a shop.\nCopy the order number.\nAnswer in English.\n"
HARMFUL = "Copy the order number and be chatty."
AFTER = f"You work for a small shop.\n{HARMFUL}\nAnswer in English.\nBe polite.\n"


def check(
    folder: Path, answer: Callable[[Call], Reply | str] = model, after: str = AFTER, **sections: Any
) -> CommandResult:
    with serving(answer) as server:
        settings = {"run": {"cache": None, "memory": None}, **sections}
        files = {PROMPT: prompt(BEFORE), GOLDENS: goldens(24), "promptci.yml": config(server, **settings)}
        builder = shop(folder, files)
        builder.write({PROMPT: prompt(after)}).commit()
        result = run_command(builder.path, ["check", "--base", "main"], folder / "out")
        result_calls.append(server.calls)
    return result


result_calls: list[list[Call]] = []


def attribution(folder: Path) -> dict[str, Any] | None:
    report = json.loads((folder / "out" / "report.json").read_text())
    cause: dict[str, Any] | None = report["prompts"][0]["attribution"]
    return cause


def test_the_guilty_edit_is_named_in_terminal_comment_and_page(tmp_path: Path) -> None:
    result = check(tmp_path)
    assert result.verdict == "fail"
    cause = attribution(tmp_path)
    assert cause is not None
    assert [edit["after"] for edit in cause["edits"]] == ["You work for a small shop.", HARMFUL, "Be polite."]
    assert [effect["edits"] for effect in cause["effects"] if effect["named"]] == [[2]]
    sentence = "Without this edit 48 of 48 answers to the broken cases are right, with it 0 of 48."
    for text in (
        result.text,
        (tmp_path / "out" / "comment.md").read_text(),
        (tmp_path / "out" / "report.html").read_text(),
    ):
        assert f"in the system message broke cases. {sentence}" in re.sub(r"\s+", " ", text)
        assert "None of the other 2 edits showed an effect on them." in re.sub(r"\s+", " ", text)


def test_what_it_costs_is_part_of_what_the_run_cost(tmp_path: Path) -> None:
    check(tmp_path)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    calls = report["prompts"][0]["attribution"]["calls"]
    assert 0 < calls <= 200
    assert report["spend"]["calls"] == 48 + calls == len(result_calls[-1])


def test_it_can_be_switched_off_and_limited(tmp_path: Path) -> None:
    check(tmp_path / "off", explain={"calls": 0})
    assert attribution(tmp_path / "off") is None
    check(tmp_path / "few", explain={"calls": 5})
    few = attribution(tmp_path / "few")
    assert few is not None
    assert few["failure"] == "only 5 calls are left for this prompt (explain.calls)"
    assert len(result_calls[-1]) == 48


@pytest.mark.long
def test_the_calls_of_an_explanation_are_estimated_before_anything_is_asked(tmp_path: Path) -> None:
    prices = {"prices": {"fake-1": {"input_usd": 1, "output_usd": 1}}}
    priced = check(tmp_path / "priced", provider=prices)
    (line,) = re.findall(r"estimate: .*", priced.text)
    pattern = r"with what may follow (\d+) calls, at most \$0\.\d+: .*200 to explain a failure"
    assert re.search(pattern, line), line
    unpriced = check(tmp_path / "unpriced").text
    assert "200 to explain a failure" in unpriced
    (line,) = re.findall(r"estimate: .*", unpriced)
    assert line.count("price unknown") == 1


@pytest.mark.parametrize("calls", first_daily([0, 11]))
def test_no_explanation_is_estimated_where_none_is_made(tmp_path: Path, calls: int) -> None:
    assert "to explain a failure" not in check(tmp_path / "off", explain={"calls": calls}).text
    one_edit = BEFORE.replace("Copy the order number.", HARMFUL)
    assert "to explain a failure" not in check(tmp_path / "one", after=one_edit).text


def test_a_dry_run_counts_the_calls_of_an_explanation(tmp_path: Path) -> None:
    with serving(model) as server:
        builder = shop(tmp_path, {PROMPT: prompt(BEFORE), GOLDENS: goldens(24), "promptci.yml": config(server)})
        builder.write({PROMPT: prompt(AFTER)}).commit()
        planned = run_command(builder.path, ["check", "--base", "main", "--dry-run"], tmp_path / "out")
        part = run_command(builder.path, ["check", "--base", "main", "--dry-run", "--shard", "1/2"], tmp_path / "out")
        tried = run_command(
            builder.path, ["explain", "--base", "main", "--dry-run", "--calls", "600"], tmp_path / "out"
        )
        assert server.calls == []
    assert "\nand at most 200 calls to explain a failure, price unknown" in planned.text
    assert "\nand at most 600 calls to explain a failure, price unknown" in tried.text
    assert "to explain" not in part.text


def test_one_edit_explains_itself(tmp_path: Path) -> None:
    assert check(tmp_path, after=BEFORE.replace("Copy the order number.", HARMFUL)).verdict == "fail"
    cause = attribution(tmp_path)
    assert cause is not None
    assert (len(cause["edits"]), cause["effects"], cause["calls"]) == (1, [], 0)
    assert (
        f"There is one edit: changing “Copy the order number.” to “{HARMFUL}”"
        in (tmp_path / "out" / "comment.md").read_text()
    )


def test_edits_that_only_act_together_are_named_together(tmp_path: Path) -> None:
    def needs_both(call: Call) -> str:
        system = call.body["messages"][0]["content"]
        return model(call) if "small" in system else model(_without(call, "and be chatty"))

    assert check(tmp_path, needs_both).verdict == "fail"
    cause = attribution(tmp_path)
    assert cause is not None
    assert [effect["edits"] for effect in cause["effects"] if effect["named"]] == [[1], [2]]
    assert cause["joint"]


@pytest.mark.long
def test_edits_of_which_each_is_enough_are_named_as_such(tmp_path: Path) -> None:
    def either(call: Call) -> str:
        system = call.body["messages"][0]["content"]
        return model(_with(call, "chatty")) if "polite" in system or "chatty" in system else model(call)

    assert check(tmp_path, either).verdict == "fail"
    cause = attribution(tmp_path)
    assert cause is not None
    assert cause["alone"]
    assert [effect["edits"] for effect in cause["effects"] if effect["named"]] == [[2], [3]]


def test_an_endpoint_that_fails_then_leaves_the_verdict_alone(tmp_path: Path) -> None:
    asked: list[int] = []

    def fails_later(call: Call) -> Reply | str:
        asked.append(1)
        return model(call) if len(asked) <= 48 else error(401, "no longer")

    result = check(tmp_path, fails_later)
    assert (result.verdict, result.exit_code) == ("fail", 1)
    cause = attribution(tmp_path)
    assert cause is not None
    assert cause["failure"] is not None


def explain(folder: Path, after: str, *options: str) -> CommandResult:
    with serving() as server:
        settings = config(server, run={"cache": None, "memory": None}, explain={"calls": 0})
        builder = shop(folder, {PROMPT: prompt(BEFORE), GOLDENS: goldens(24), "promptci.yml": settings})
        builder.write({PROMPT: prompt(after)})
        return run_command(builder.path, ["explain", "--base", "main", "--head", ".", *options], folder / "out")


def test_explain_lists_every_edit_of_the_working_tree(tmp_path: Path) -> None:
    result = explain(tmp_path, AFTER, "--calls", "100")
    assert result.exit_code == 0
    rows = re.findall(r"^ +(guilty|) +(\d+ of \d+) +0 of \d+ +(\w+)", result.text, re.MULTILINE)
    assert [(name, verb) for name, _, verb in rows] == [("", "changing"), ("guilty", "changing"), ("", "adding")]


def test_explain_is_not_green_where_there_is_nothing_to_explain(tmp_path: Path) -> None:
    harmless = explain(tmp_path / "harmless", BEFORE + "Thanks.\n", "--calls", "100")
    assert (harmless.exit_code, "No prompt failed" in harmless.text) == (3, True)
    single = explain(tmp_path / "single", BEFORE.replace("Copy the order number.", HARMFUL), "--calls", "100")
    assert (single.exit_code, "There is one edit: changing" in single.text) == (3, True)
    assert explain(tmp_path / "none", BEFORE, "--calls", "100").exit_code == 3


def _without(call: Call, words: str) -> Call:
    return _changed(call, lambda text: text.replace(words, ""))


def _with(call: Call, words: str) -> Call:
    return _changed(call, lambda text: f"{text} {words}")


def _changed(call: Call, change: Callable[[str], str]) -> Call:
    system, *rest = call.body["messages"]
    messages = [{**system, "content": change(system["content"])}, *rest]
    return Call(
        number=call.number,
        method=call.method,
        path=call.path,
        headers=call.headers,
        body={**call.body, "messages": messages},
    )


@pytest.mark.long
@pytest.mark.parametrize("policy", ["advise"])
def test_it_is_asked_in_advise_mode_too(tmp_path: Path, policy: str) -> None:
    check(tmp_path, gate={"mode": policy})
    assert attribution(tmp_path) is not None
