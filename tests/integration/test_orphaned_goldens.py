"""Goldens that no prompt has any more: why is said, and what to do."""

from pathlib import Path

from support.cli_runs import run_command
from support.repositories import BAD, GOLDENS, GOOD, PROMPT, config, goldens, prompt, shop


def check(tmp_path: Path, **changed: str) -> str:
    builder = shop(tmp_path, {PROMPT: prompt(GOOD), GOLDENS: goldens(3), "promptci.yml": config()})
    builder.write({PROMPT: prompt(BAD), **changed}).commit()
    result = run_command(builder.path, ["check", "--base", "main", "--dry-run"], tmp_path / "out")
    assert not result.is_green
    return result.text


def test_a_prompt_under_a_new_name_is_said_to_have_left_the_goldens_of_the_old_one(tmp_path: Path) -> None:
    message = check(tmp_path, **{PROMPT: "name: other\n" + prompt(BAD)})
    assert "goldens/order.jsonl: these goldens of `order` no longer belong to any prompt." in message
    assert "new name `other`, or keep the name `order`" in message


def test_a_pattern_that_looks_elsewhere_is_named_as_the_cause(tmp_path: Path) -> None:
    message = check(tmp_path, **{"promptci.yml": config(prompts={"goldens": "none/{name}.jsonl"})})
    assert "Correct `prompts.goldens` in promptci.yml" in message


def test_goldens_left_behind_are_not_called_removed(tmp_path: Path) -> None:
    builder = shop(tmp_path, {PROMPT: prompt(GOOD), GOLDENS: goldens(3), "promptci.yml": config()})
    builder.write({PROMPT: "name: other\n" + prompt(BAD)}).commit()
    assert not run_command(builder.path, ["check", "--base", "main"], tmp_path / "out").is_green
    comment = (tmp_path / "out" / "comment.md").read_text(encoding="utf-8")
    assert "No longer has its goldens, so nothing decides." in comment
    assert "Removed" not in comment


def test_a_name_that_alone_changes_is_told(tmp_path: Path) -> None:
    builder = shop(tmp_path, {PROMPT: prompt(GOOD), GOLDENS: goldens(3), "promptci.yml": config()})
    builder.git("mv", PROMPT, PROMPT.replace("order", "other"))
    builder.git("mv", GOLDENS, GOLDENS.replace("order", "other"))
    builder.commit()
    run_command(builder.path, ["check", "--base", "main"], tmp_path / "out")
    comment = (tmp_path / "out" / "comment.md").read_text(encoding="utf-8")
    assert "`other` was renamed from `order`; what loads it by name must follow." in comment
