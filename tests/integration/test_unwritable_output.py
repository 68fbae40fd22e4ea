"""Outputs that cannot be written: the paid report is elsewhere, the exit code is 4, and the run can be continued."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import github as fake
from support.action_runner import Run
from support.cli_runs import CommandResult, run_command
from support.repositories import BAD, GOLDENS, GOOD, PROMPT, goldens, prompt, serving, shop

FILES = {PROMPT: prompt(GOOD), GOLDENS: goldens(20)}


@pytest.fixture(autouse=True)
def _temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)


@pytest.fixture
def github() -> Iterator[fake.GitHub]:
    with fake.GitHub() as server:
        yield server


def saved(result: CommandResult) -> Path:
    """Return the folder that the message names."""
    match = re.search(r"It is in (\S+) instead\.", result.text)
    assert match, result.text
    return Path(match[1])


def test_a_report_that_cannot_be_written_is_saved_elsewhere_and_its_run_continued(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BAD)}).commit()
        (out / "report.html").mkdir(parents=True)
        result = run_command(builder.path, ["check", "--base", "main"], out)
        calls = len(server.calls)
        (out / "report.html").rmdir()
        again = run_command(builder.path, ["check", "--base", "main"], out)
        assert len(server.calls) == calls == 40
    assert result.exit_code == 4
    assert f"the report cannot be written to {out}: Is a directory" in result.text
    assert "It says: Blocked: order got worse" in result.text
    assert "the answers are in the journal" in result.text
    assert {"report.html", "report.json", "comment.md"} <= {path.name for path in saved(result).iterdir()}
    assert (again.exit_code, again.verdict) == (1, "fail")
    assert "resumed: 40 answers" in again.text


def test_an_output_folder_that_cannot_be_made_is_named_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BAD)}).commit()
        result = run_command(builder.path, ["check", "--base", "main"], tmp_path / "file" / "out")
        assert server.calls == []
    assert result.exit_code == 4
    assert "the journal cannot be written: Not a directory" in result.text
    assert (saved(result) / "report.json").exists()


def test_where_nothing_can_be_written_the_verdict_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BAD)}).commit()
        (tmp_path / "out" / "report.html").mkdir(parents=True)
        result = run_command(builder.path, ["check", "--base", "main"], tmp_path / "out")
    assert result.exit_code == 4
    assert "Nor to a temporary folder: No such file or directory." in result.text
    assert "It says: Blocked: order got worse" in result.text


def test_the_action_puts_the_report_into_the_step_summary_and_sets_an_error(
    tmp_path: Path, github: fake.GitHub
) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BAD), ".gitignore": "promptci-report/\n"}).commit()
        (builder.path / "promptci-report" / "report.html").mkdir(parents=True)
        run = Run(tmp_path, builder, github)
        code, log = run()
    assert code == 4
    assert "the report cannot be written to" in log
    assert "internal error" not in log.lower()
    assert "Blocked: order got worse" in (tmp_path / "summary").read_text()
    assert {status["context"]: status["state"] for status in github.statuses} == {"promptci": "error"}
