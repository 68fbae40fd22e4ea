"""`promptci goldens lint` names the cases that no version of a prompt ever failed, by the memory of real runs."""

from pathlib import Path

from fakes.openai_server import Call
from fakes.repo import RepoBuilder
from support.repositories import GOLDENS, GOOD, PROMPT, config, make_environment, prompt, serving

from promptci.app.requests import RunRequest
from promptci.evaluation import run
from promptci.usecases.goldens import golden_sets
from promptci.usecases.goldens.golden_sets import GoldensRequest, LintDocument

CASES = (
    '{"id": "easy", "vars": {"input": "Where is GH-1?"}, "expected": "GH-1"}\n'
    '{"id": "guard", "vars": {"input": "Cancel the second thing, GH-2"}, "expected": "GH-2", "critical": true}\n'
    '{"id": "hard", "vars": {"input": "my parcel (GH-3) never came"}, "expected": "GH-3"}\n'
)


def answer(call: Call) -> str:
    """Answer rightly, but for `hard` under the fifth version."""
    number = call.last_user_message.partition("GH-")[2][0]
    return "no" if number == "3" and "Version 4" in call.body["messages"][0]["content"] else f"GH-{number}"


def lint(builder: RepoBuilder) -> LintDocument:
    return golden_sets.lint(GoldensRequest(root=builder.path, config_path="promptci.yml"), make_environment()[0].now())


def test_a_case_that_passed_under_every_version_is_named_and_a_critical_one_is_not(tmp_path: Path) -> None:
    with serving(answer) as server:
        files = {"promptci.yml": config(server), PROMPT: prompt(GOOD), GOLDENS: CASES}
        builder = RepoBuilder(tmp_path / "shop").write(files)
        builder.commit()
        assert lint(builder).notes == ["never-failed: there is no memory of earlier runs in .promptci/memory."]
        for version in range(5):
            assert [row.rule for row in lint(builder).findings] == []
            builder.write({PROMPT: prompt(f"{GOOD} Version {version}.")})
            run.run(RunRequest(root=builder.path, head=".", out=tmp_path / "out"), make_environment()[0])
    linted = lint(builder)
    assert [(row.rule, row.line, row.message) for row in linted.findings] == [
        ("never-failed", 1, "`easy` passed all 5 times, under 5 versions of the prompt")
    ]
    assert linted.notes == []
    builder.write({GOLDENS: CASES.replace("Where is GH-1?", "What became of GH-1?")})
    assert lint(builder).findings == [], "the answers were to another text"


def test_a_memory_in_git_and_one_that_is_off_are_not_read_and_it_is_said(tmp_path: Path) -> None:
    files = {"promptci.yml": config(), PROMPT: prompt(GOOD), GOLDENS: CASES, ".promptci/memory/cases-x.jsonl": "{}\n"}
    builder = RepoBuilder(tmp_path / "shop").write(files)
    builder.commit()
    assert "was not used: `.promptci/memory/cases-x.jsonl` is committed to git" in lint(builder).notes[0]
    builder.write({"promptci.yml": config(run={"memory": False})})
    assert lint(builder).notes == ["never-failed: promptci.yml turns the memory of earlier runs off."]
