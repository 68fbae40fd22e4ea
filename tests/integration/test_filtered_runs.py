"""Runs of named prompts: a filter makes no run green that is not green without it."""

from pathlib import Path

import pytest
from support.cli_runs import run_command
from support.repositories import GOLDENS, GOOD, PROMPT, config, goldens, prompt, serving, shop

EMPTY = {"an empty file": "", "a byte order mark": "\ufeff", "blank lines": "\n\n"}


@pytest.mark.parametrize("words", [["run"], ["run", "--quiet"], ["check", "--base", "main"]])
@pytest.mark.parametrize("text", EMPTY.values(), ids=EMPTY)
def test_a_named_prompt_without_a_golden_case_is_an_error_as_without_its_name(
    tmp_path: Path, text: str, words: list[str]
) -> None:
    with serving() as server:
        builder = shop(tmp_path, {PROMPT: prompt(GOOD), GOLDENS: goldens(3)}, server).write({GOLDENS: text})
        builder.commit("empty")
        whole = run_command(builder.path, words, tmp_path / "whole")
        named = run_command(builder.path, [*words, "--prompt", "order"], tmp_path / "named")
    assert (whole.exit_code, whole.verdict) == (4, "error")
    assert (named.exit_code, named.verdict) == (4, "error")
    assert "no-cases" in named.rules


@pytest.mark.parametrize("words", [["run"], ["check", "--base", "main"]])
def test_a_named_prompt_whose_goldens_are_gone_is_not_green(tmp_path: Path, words: list[str]) -> None:
    with serving() as server:
        builder = shop(tmp_path, {PROMPT: prompt(GOOD), GOLDENS: goldens(3)}, server).remove(GOLDENS)
        builder.commit("gone")
        named = run_command(builder.path, [*words, "--prompt", "order"], tmp_path / "named")
    assert named.exit_code != 0
    assert "missing-goldens" in named.rules


def test_a_named_prompt_that_the_change_deletes_is_not_green(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, {PROMPT: prompt(GOOD), GOLDENS: goldens(3)}, server).remove(PROMPT)
        builder.commit("gone")
        named = run_command(builder.path, ["check", "--base", "main", "--prompt", "order"], tmp_path / "named")
    assert (named.exit_code, "deleted" in named.rules) == (3, True)


def test_a_dry_run_names_the_mistakes_of_all_prompts(tmp_path: Path) -> None:
    files = {PROMPT: prompt(GOOD), GOLDENS: '{"id": "a", "vars": {}, "expected": "x"}\n', "promptci.yml": config()}
    other = {
        "prompts/b.prompt.yml": prompt(GOOD),
        "goldens/b.jsonl": '{"id": "b", "vars": {"input": "x"}, "expectd": "x"}\n',
    }
    text = run_command(shop(tmp_path, files | other).path, ["run", "--dry-run"], tmp_path / "out").text
    assert "case `a` has no variable `input`" in text
    assert "unknown key `expectd`" in text
