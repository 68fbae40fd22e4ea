"""`promptci record`: cases out, a program's answers in, and a run from the recording."""

import json
from pathlib import Path

import pytest
from fakes.repo import RepoBuilder
from support.cli_runs import call_promptci, run_command
from support.repositories import GOLDENS, PROMPT, config, goldens, prompt


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    settings = config(provider={"kind": "recorded", "path": "answers.jsonl"}, run={"cache": None, "memory": None})
    files = {"promptci.yml": settings, PROMPT: prompt("Copy it."), GOLDENS: goldens(3)}
    return RepoBuilder(tmp_path / "shop").write(files).path


def answer(shop: Path, *, leave_out: int = 0) -> Path:
    cases = [json.loads(line) for line in call_promptci(["record", "--list"], shop, {}).stdout.splitlines()]
    written = [{"id": c["id"], "text": c["messages"][-1]["content"].split()[-1].rstrip("?")} for c in cases]
    path = shop.parent / "written.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in written[leave_out:]))
    return path


def test_a_run_uses_what_a_program_answered(shop: Path, tmp_path: Path) -> None:
    words = ["record", str(answer(shop)), "--to", "answers.jsonl"]
    tried = json.loads(call_promptci([*words, "--dry-run", "--json"], shop, {}).stdout)
    assert (tried["files"], tried["dry_run"], (shop / "answers.jsonl").exists()) == (["answers.jsonl"], True, False)
    result = call_promptci(words, shop, {})
    assert (result.returncode, "3 answers\nwritten: answers.jsonl" in result.stdout) == (0, True)
    documented = (Path(__file__).parents[2] / "docs" / "application.md").read_text(encoding="utf-8")
    assert documented.count("12 answers\nwritten: answers.jsonl") == 1
    ran = run_command(shop, ["run"], tmp_path / "out")
    assert (ran.verdict, ran.exit_code) == ("pass", 0)


def test_a_line_may_repeat_the_case_that_it_answers(shop: Path) -> None:
    cases = [json.loads(line) for line in call_promptci(["record", "--list"], shop, {}).stdout.splitlines()]
    assert [sorted(case["vars"]) for case in cases] == [["input"]] * 3
    path = shop.parent / "written.jsonl"
    path.write_text("".join(json.dumps({**case, "text": "x"}) + "\n" for case in cases))
    result = call_promptci(["record", str(path), "--to", "answers.jsonl"], shop, {})
    assert (result.returncode, "3 answers" in result.stdout) == (0, True)


def test_a_case_without_an_answer_is_named_and_nothing_is_written(shop: Path) -> None:
    result = call_promptci(["record", str(answer(shop, leave_out=1)), "--to", "answers.jsonl"], shop, {})
    assert result.returncode == 4
    assert "1 case without an answer: order/c000" in result.stderr
    assert not (shop / "answers.jsonl").exists()


def test_listing_and_recording_are_two_steps(shop: Path) -> None:
    assert call_promptci(["record"], shop, {}).returncode == 2
