"""What decides nothing and is easily missed, where the reader is: in the terminal, the comment and the page."""

from pathlib import Path

from fakes.openai_server import Call, Reply, completion, reply
from support.cli_runs import run_command
from support.repositories import GOLDENS, GOOD, PROMPT, goldens, model, prompt, serving, shop

FILES = {PROMPT: prompt(GOOD), GOLDENS: goldens(60)}
BETTER = "Copy the order number, nothing else."
CHECK = ["check", "--base", "main", "--head", "HEAD"]


def test_what_a_prompt_says_and_is_not_used_is_told_in_terminal_and_comment(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BETTER + " {{ lang | default(1) }} {# c #} {{#if x}}")}).commit()
        result = run_command(builder.path, CHECK, tmp_path / "out")
    said = "`{{ lang | default(1) }}`, `{# c #}`, `{{#if x}}` are not variables and are sent as written."
    assert result.verdict == "pass"
    assert said in result.text
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
