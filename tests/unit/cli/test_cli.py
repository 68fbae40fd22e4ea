"""The command line as a person meets it: words and exit codes, of whole processes where a process is what matters."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from fakes.repo import RepoBuilder
from support.cli_runs import call_promptci
from support.report_situations import SITUATIONS
from support.repositories import BAD, GOLDENS, GOOD, PROMPT, config, goldens, prompt, serving, shop

from promptci.cli.command_group import group
from promptci.report import write
from promptci.report.model.document import serialize

FILES = {PROMPT: prompt(GOOD), GOLDENS: goldens(60)}


def default_folders(command: click.Command) -> Iterator[str]:
    """Yield the folders that a command and its sub-commands write where nothing else is asked for."""
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            yield from default_folders(command.get_command(click.Context(command), name) or click.Command(name))
    for parameter in command.params:
        if parameter.name == "out" and isinstance(parameter.default, Path):
            yield parameter.default.parts[0]


DEFAULT_FOLDERS = sorted({".promptci", *default_folders(group)})


def environment(environ: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "OPENAI_"))}
    return {**kept, "CI": "true", **environ}


def call(*words: str, cwd: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    return call_promptci(words, cwd, environment(environ))


def promptci(*words: str, cwd: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "promptci", *words],
        cwd=cwd,
        env=environment(environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_check_prints_counts_and_price_in_plain_lines_and_the_verdict(tmp_path: Path) -> None:
    with serving() as server:
        prices = {"prices": {"fake-1": {"input_usd": 1, "output_usd": 1}}}
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server, provider=prices)})
        builder.write({PROMPT: prompt(BAD)}).commit()
        done = call("check", "--out", str(tmp_path / "out"), cwd=builder.path)
    assert done.returncode == 1, done.stderr
    assert "estimate: 120 calls, at most $0.0044 (cache hits not deducted)" in done.stdout
    assert "asking: 120 answers" in done.stderr
    assert "120 of 120 answers, $0.00" in done.stderr
    assert "fail: order" in done.stdout
    assert "\n      + after     {+Sure! Your number is +}GH-1001\n" in done.stdout
    assert f"report: {tmp_path / 'out' / 'report.html'}" in done.stdout
    assert "\x1b" not in done.stdout


def test_check_without_a_relevant_change_prints_no_change(tmp_path: Path) -> None:
    builder = shop(tmp_path, FILES)
    builder.write({"README.md": "x"}).commit()
    done = call("check", "--out", str(tmp_path / "out"), cwd=builder.path)
    assert (done.returncode, done.stdout.startswith("no-change")) == (0, True)


def test_dry_run_prints_the_plan(tmp_path: Path) -> None:
    builder = shop(tmp_path, FILES)
    builder.write({PROMPT: prompt(BAD)}).commit()
    planned = json.loads(call("check", "--dry-run", "--json", cwd=builder.path).stdout)
    assert (planned["schema"], planned["dry_run"]) == ("promptci/run-plan/v1", True)
    assert (planned["cases"], planned["answers"], planned["calls"]) == (60, 120, 120)
    done = call("check", "--dry-run", cwd=builder.path)
    assert done.returncode == 0, done.stderr
    assert planned["lines"] == done.stdout.splitlines()[-len(planned["lines"]) :]
    assert "prompts: 1, cases: 60, repeats: 1" in done.stdout
    assert "price: " in done.stdout
    assert not (builder.path / "promptci-report").exists()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["check", "--base", "nope"], 4, "There is no commit `nope` here"),
        (["check", "--nope"], 2, "No such option"),
        (["nope"], 2, "No such command"),
        (["check", "--repo", "/"], 4, "not in a git repository"),
        (["report", "promptci.yml"], 2, "neither a report.json nor a journal.jsonl"),
    ],
)
def test_mistakes_get_words_and_an_exit_code_never_a_traceback(
    tmp_path: Path, words: list[str], code: int, message: str
) -> None:
    builder = shop(tmp_path, {**FILES, "promptci.yml": config()})
    done = call(*words, cwd=builder.path)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_files_that_cannot_be_read_are_listed_with_their_lines(tmp_path: Path) -> None:
    builder = shop(tmp_path, FILES)
    builder.write({PROMPT: "model: [\n", "promptci.yml": config()}).commit()
    done = call("check", "--out", str(tmp_path / "out"), cwd=builder.path)
    assert done.returncode == 4
    assert f"{PROMPT}:" in done.stdout
    assert "Traceback" not in done.stderr + done.stdout


def test_init_makes_a_repository_that_can_be_planned_at_once_and_never_overwrites(tmp_path: Path) -> None:
    done = call("init", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / ".github" / "workflows" / "prompts.yml").exists()
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    ignored = (tmp_path / ".gitignore").read_text().splitlines()
    assert [name for name in DEFAULT_FOLDERS if f"{name}/" not in ignored] == []
    planned = call("run", "--dry-run", cwd=tmp_path)
    assert planned.returncode == 0, planned.stderr
    assert "cases: 5" in planned.stdout
    again = call("init", cwd=tmp_path)
    assert (again.returncode, "wrote" in again.stdout) == (0, False)
    assert "kept promptci.yml, which was there already" in again.stdout


def test_init_lists_the_prompts_that_are_there_already(tmp_path: Path) -> None:
    builder = RepoBuilder(tmp_path / "shop")
    builder.write({"a.prompt.yml": prompt(GOOD), ".github/prompts/b.prompt.yaml": prompt(GOOD)}).commit()
    builder.write({"c.prompt.yml": prompt(GOOD), "node_modules/d.prompt.yml": prompt(GOOD)})
    done = call("init", cwd=builder.path)
    assert "found 3 prompt files, tested too: .github/prompts/b.prompt.yaml, a.prompt.yml and c.prompt.yml\n" in (
        done.stdout
    )
    assert "found" not in call("init", "new", cwd=tmp_path).stdout


def test_init_writes_what_the_key_in_the_environment_calls_for(tmp_path: Path) -> None:
    for folder, environ, kind in (("a", {"OPENAI_API_KEY": "sk-x"}, "base_url"), ("b", {}, "kind: local")):
        assert call("init", folder, cwd=tmp_path, **environ).returncode == 0
        assert kind in (tmp_path / folder / "promptci.yml").read_text()


def test_run_tests_one_revision(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server, gate={"min_quality": 0.9})})
        good = call("run", "--out", str(tmp_path / "out"), cwd=builder.path)
        builder.write({PROMPT: prompt(BAD)})
        bad = call("run", "--out", str(tmp_path / "out"), cwd=builder.path)
    assert (good.returncode, bad.returncode) == (0, 1), good.stderr + bad.stderr


def test_report_draws_again(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BAD)}).commit()
        call("check", "--out", str(tmp_path / "out"), cwd=builder.path)
    before = (tmp_path / "out" / "report.html").read_bytes()
    (tmp_path / "out" / "report.html").unlink()
    done = call("report", str(tmp_path / "out" / "report.json"), cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert (tmp_path / "out" / "report.html").read_bytes() == before


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """A folder with a report where a run leaves it, and a browser that notes what it is to show."""
    write.write_all(serialize(SITUATIONS["all_same"]()), tmp_path / "promptci-report")
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > "{tmp_path}/shown"\n')
    browser.chmod(0o755)
    return tmp_path


def test_report_opens_the_last_run_s_page_in_the_browser(drawn: Path) -> None:
    done = promptci("report", "--open", cwd=drawn, CI="", BROWSER=f"{drawn}/browser %s")
    assert done.returncode == 0, done.stderr
    assert (drawn / "shown").read_text().strip() == (drawn / "promptci-report" / "report.html").as_uri()


def test_a_browser_that_is_not_there_is_said_and_the_report_is_drawn_all_the_same(drawn: Path) -> None:
    # An empty PATH: whatever browser this machine has is not found.
    done = promptci("report", "--open", cwd=drawn, CI="", BROWSER=f"{drawn}/nothing %s", PATH="", DISPLAY="")
    assert done.returncode == 0, done.stderr
    assert "no browser was found; open the file yourself" in done.stdout


def test_nothing_is_opened_where_nobody_sits(drawn: Path) -> None:
    done = call("report", "--open", cwd=drawn, BROWSER=f"{drawn}/browser %s")
    assert "not opened: this is a CI run" in done.stdout
    assert not (drawn / "shown").exists()


def test_diff_says_what_changed_between_two_reports(drawn: Path) -> None:
    write.write_all(serialize(SITUATIONS["regressed"]()), drawn / "second")
    files = ("promptci-report/report.json", "second/report.json")
    done = call("diff", *files, cwd=drawn)
    assert done.returncode == 0, done.stderr
    assert "verdict: pass → fail" in done.stdout
    assert "#### `order-extractor`" in call("diff", *files, "--format", "markdown", cwd=drawn).stdout
    result = json.loads(call("diff", *files, "--format", "json", cwd=drawn).stdout)
    assert len(result["prompts"][0]["regressions"]) == 29


def test_diff_of_what_is_no_report_names_the_file_and_the_mistake(drawn: Path) -> None:
    (drawn / "other.json").write_text('{"schema": 1}')
    done = call("diff", "promptci-report/report.json", "other.json", cwd=drawn)
    assert done.returncode == 4
    assert "other.json" in done.stderr
    assert "`schema` is 1, expected `promptci/report/v1`" in done.stderr


def test_without_a_run_there_is_nothing_to_draw(tmp_path: Path) -> None:
    done = call("report", cwd=tmp_path)
    assert done.returncode == 2
    assert "promptci-report/report.json" in done.stderr


def test_a_fault_of_our_own_is_exit_code_4_and_a_log_to_report(tmp_path: Path) -> None:
    code = (
        "import sys; from promptci.app import error_boundary; "
        "sys.exit(error_boundary.run_guarded(lambda: 1 // 0, {}, sys.stderr))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "Internal error in promptci (not your prompt)" in done.stderr
    log = Path(done.stderr.split("Details in ")[1].split(". Please")[0])
    assert "ZeroDivisionError" in log.read_text()
    log.unlink()


def test_help_is_quick_and_loads_nothing_heavy() -> None:
    code = (
        "import sys; from promptci.cli.command_group import group; group.get_help(__import__('click').Context(group)); "
        "print(sorted({'openai', 'matplotlib', 'pydantic', 'scipy', 'jinja2', 'github'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_selftest_does_not_spend_without_a_yes_where_nobody_can_be_asked(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server)})
        refused = call("selftest", cwd=builder.path)
        assert (refused.returncode, server.calls) == (2, [])
        assert "calls: 120" in refused.stdout
        assert "pass --yes" in refused.stderr
        done = call("selftest", "--yes", "--simulations", "100", cwd=builder.path)
        assert done.returncode == 0, done.stderr
        assert "blocked 0%" in done.stdout
        seen = call("power", "--drop", "0.02", cwd=builder.path)
    assert seen.returncode == 0, seen.stderr
    assert "measured by selftest" in seen.stdout
    assert "to show a drop of 2 points" in seen.stdout


def test_a_run_is_asked_in_parts_and_joined(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        builder.write({PROMPT: prompt(BAD)}).commit()
        for part in ("1/2", "2/2"):
            done = call("check", "--shard", part, "--out", f"parts/{part[0]}", cwd=builder.path)
            assert done.returncode == 0, done.stderr
            assert f"shard {part}" in done.stdout
            assert "there is no verdict before `promptci merge`" in done.stdout
        refused = call("check", "--shard", "3/2", cwd=builder.path)
        done = call("merge", "parts", cwd=builder.path)
    assert refused.returncode == 2
    assert "'3/2' is no part of a run. Write it like 3/10" in refused.stderr
    assert done.returncode == 1, done.stderr
    assert "fail: order" in done.stdout
    assert (builder.path / "promptci-report" / "report.html").is_file()
    assert len(server.calls) == 120
