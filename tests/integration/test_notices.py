"""What decides nothing and is easily missed, where the reader is: in the terminal, the comment and the page."""

import re
from pathlib import Path

import pytest
from fakes.openai_server import Call, Reply, completion, error, reply
from support.cli_runs import run_command
from support.repositories import BAD, GOLDENS, GOOD, PROMPT, goldens, model, prompt, serving, shop

FILES = {PROMPT: prompt(GOOD), GOLDENS: goldens(60)}
BETTER = "Copy the order number, nothing else."
CHECK = ["check", "--base", "main", "--head", "HEAD"]


def test_what_a_prompt_says_and_is_not_used_is_told_in_terminal_and_comment(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BETTER + " {{ lang | default(1) }} {# c #} {{#if x}}")}).commit()
        result = run_command(builder.path, CHECK, tmp_path / "out")
    message = "`{{ lang | default(1) }}`, `{# c #}`, `{{#if x}}` are not variables and are sent as written."
    assert result.verdict == "pass"
    assert message in result.text
    assert "is sent as written" not in result.text
    comment = (tmp_path / "out" / "comment.md").read_text()
    assert "not variables and are sent as written" in comment


def test_a_new_version_whose_answers_are_all_cut_off_does_not_pass_and_says_so(tmp_path: Path) -> None:
    def cut_off(call: Call) -> Reply | str:
        if BETTER not in str(call.body["messages"]):
            return model(call)
        whole = completion(model(call))
        return reply({**whole, "choices": [{**whole["choices"][0], "finish_reason": "length"}]})

    with serving(cut_off) as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BETTER)}).commit()
        result = run_command(builder.path, CHECK, tmp_path / "out")
    assert (result.verdict, result.exit_code) == ("inconclusive", 0)
    for text in (result.text, (tmp_path / "out" / "comment.md").read_text()):
        assert "60 of 60 answers cut off by the limit of tokens (0 of 60 before the change)" in text
        assert "maxTokens" in text
    assert "cut off by the limit of tokens" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_an_edited_prompt_that_git_was_told_not_to_look_at_is_tested(tmp_path: Path, flag: str) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.git("update-index", flag, PROMPT)
        builder.write({PROMPT: prompt(BAD)})
        result = run_command(builder.path, ["check", "--base", "main", "--head", "."], tmp_path / "out")
    assert (result.verdict, result.exit_code) == ("fail", 1)


def test_a_prompt_file_that_git_ignores_is_named(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        ignored = {".gitignore": "*new*\nnode_modules/\n", "prompts/new.prompt.yml": prompt(BAD)}
        builder.write({**ignored, "node_modules/x/y.prompt.yml": prompt(BAD)})
        result = run_command(builder.path, ["check", "--base", "main", "--head", "."], tmp_path / "out")
    message = "1 prompt file is ignored by git and not tested: prompts/new.prompt.yml."
    assert result.verdict == "no-change"
    assert message in result.text
    assert "ignored by git and not tested" in (tmp_path / "out" / "comment.md").read_text()


def test_an_endpoint_that_never_answered_is_not_named_as_the_one_that_did(tmp_path: Path) -> None:
    with serving(lambda _: error(401, "no")) as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BETTER)}).commit()
        result = run_command(builder.path, CHECK, tmp_path / "out")
    assert result.verdict == "error"
    assert "answered by" not in (tmp_path / "out" / "comment.md").read_text()


def test_only_the_new_version_s_answers_are_counted_as_its_failures(tmp_path: Path) -> None:
    def refuse_the_new(call: Call) -> Reply | str:
        return error(403, "no") if BETTER in str(call.body["messages"]) else model(call)

    with serving(refuse_the_new) as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BETTER)}).commit()
        result = run_command(builder.path, CHECK, tmp_path / "out")
    counts = re.search(r"(\d+) requests (?:refused|failed), (\d+) not sent", result.text)
    assert counts is not None, result.text
    assert sum(map(int, counts.groups())) == 60
    assert "HTTP 403" in result.text
