"""`promptci` without a command: what to do next, by what is in the folder."""

from pathlib import Path

import pytest
from fakes.repo import RepoBuilder
from support.repositories import BAD, GOLDENS, GOOD, PROMPT, config, goldens, prompt

from promptci.usecases.setup.advise import Advice, advise

KEY = {"OPENAI_API_KEY": "sk-x"}


def advice(builder: RepoBuilder, environ: dict[str, str] = KEY) -> Advice:
    return advise(builder.path, "promptci.yml", environ)


@pytest.fixture
def builder(tmp_path: Path) -> RepoBuilder:
    new = RepoBuilder(tmp_path / "shop")
    new.write({PROMPT: prompt(GOOD), GOLDENS: goldens(2), "promptci.yml": config()}).commit()
    return new


def first_command(step: Advice) -> str:
    return step.commands[0].partition("  ")[0]


def test_outside_of_a_repository_one_is_to_be_made(tmp_path: Path) -> None:
    assert first_command(advise(tmp_path, "promptci.yml", {})) == "git init && promptci init"


def test_without_a_configuration_promptci_is_to_be_set_up(tmp_path: Path) -> None:
    new = RepoBuilder(tmp_path / "shop")
    new.write({"README.md": "x"}).commit()
    assert first_command(advice(new)) == "promptci init"


@pytest.mark.parametrize("has_commit", [True, False])
def test_a_setup_that_is_not_committed_is_to_be_committed_first(has_commit: bool, tmp_path: Path) -> None:
    new = RepoBuilder(tmp_path / "shop")
    if has_commit:
        new.write({PROMPT: prompt(GOOD)}).commit()
    new.write({PROMPT: prompt(GOOD), GOLDENS: goldens(2), "promptci.yml": config()})
    step = advice(new)
    assert step.state.startswith("promptci.yml is not committed yet")
    assert first_command(step).startswith("git add --all && git commit")


def test_changed_prompts_are_named_and_to_be_checked(builder: RepoBuilder) -> None:
    builder.write({PROMPT: prompt(BAD)})
    step = advice(builder)
    assert (step.state, first_command(step)) == ("1 prompt changed since the merge base: order.", "promptci check")


def test_a_missing_key_and_missing_goldens_are_said(builder: RepoBuilder) -> None:
    builder.write({"prompts/new.prompt.yml": prompt(GOOD).replace("order", "new", 1)})
    step = advice(builder, {})
    assert "Without golden cases: new; write some to goldens/new.jsonl." in step.state
    assert "export OPENAI_API_KEY=" in step.state


def test_without_a_change_the_prompts_can_be_run_as_they_are(builder: RepoBuilder) -> None:
    step = advice(builder)
    assert first_command(step) == "promptci run"
    assert any(command.startswith("promptci release NAME") for command in step.commands)


def test_a_mistake_is_named_and_sends_to_the_doctor(builder: RepoBuilder) -> None:
    builder.write({PROMPT: "model: [\n"})
    step = advice(builder)
    assert (first_command(step), PROMPT in step.state) == ("promptci doctor", True)
