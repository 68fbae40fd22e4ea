"""How much of a result is printed, in which form, and what a part of a run may conclude."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from fakes.repo import RepoBuilder
from support.cli_runs import call_promptci
from support.repositories import BAD, GOLDENS, GOOD, PROMPT, config, goldens, prompt, serving, shop

from promptci.cli import options, watch
from promptci.cli.command_group import group
from promptci.errors import UsageError

CASES = 4
FILES = {
    PROMPT: prompt(GOOD),
    GOLDENS: goldens(CASES),
    "prompts/refund.prompt.yml": prompt(GOOD).replace("order", "refund", 1),
    "goldens/refund.jsonl": goldens(CASES),
}


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RepoBuilder]:
    """A shop with an uncommitted edit that harms one prompt."""
    with serving() as server:
        builder = shop(tmp_path_factory.mktemp("edited"), FILES, server)
        (builder.path / PROMPT).write_text(prompt(BAD))
        yield builder


def call(builder: RepoBuilder, *words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    return call_promptci(words, builder.path, {"PATH": "/usr/bin:/bin", **environ})


def test_off_ci_the_working_tree_is_tested_and_that_is_said(edited: RepoBuilder) -> None:
    done = call(edited, "check")
    assert "testing the working tree, uncommitted changes included" in done.stderr
    assert "testing" not in done.stdout
    assert "  order  " in done.stdout
    assert call(edited, "check", CI="true").stdout.startswith("no-change: ")


def test_show_limits_the_cases_or_lists_all(edited: RepoBuilder) -> None:
    assert call(edited, "check", "--show", "1").stdout.count(" · right → wrong") == 1
    assert call(edited, "check", "--show", "all").stdout.count(" · right → wrong") == CASES // 2
    assert call(edited, "check", "--show", "0").stdout.count(" · right → wrong") == 0
    wrong = call(edited, "check", "--show", "few")
    assert (wrong.returncode, "`few` is neither a number nor `all`" in wrong.stderr) == (2, True)


def test_quiet_prints_one_line_and_json_the_report(edited: RepoBuilder) -> None:
    quiet = call(edited, "check", "--quiet")
    assert (len(quiet.stdout.splitlines()), quiet.stderr) == (1, "")
    printed = call(edited, "check", "--json")
    report = json.loads(printed.stdout)
    assert report == json.loads((edited.path / "promptci-report" / "report.json").read_text())
    assert "estimate: " in printed.stderr
    assert call(edited, "check", "--json", "--quiet").returncode == 2


def test_verbose_prints_every_metric(edited: RepoBuilder) -> None:
    assert "Latency p99" in call(edited, "check", "--verbose").stdout
    assert "Latency p99" not in call(edited, "check").stdout


@pytest.mark.parametrize("words", [("--prompt", "order"), ("--case", "c*0"), ("--prompt", "order", "--case", "c000")])
def test_a_part_of_a_run_is_never_green(edited: RepoBuilder, words: tuple[str, ...]) -> None:
    done = call(edited, "check", *words)
    assert done.returncode in {1, 3}
    assert "so this run cannot pass" in done.stdout


def test_a_part_of_a_run_that_breaks_nothing_is_inconclusive_even_in_advise_mode(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server, gate={"mode": "advise"})})
        done = call(builder, "run", "--case", "c001", "--prompt", "refund")
    assert (done.returncode, done.stdout.splitlines()[1].partition(":")[0]) == (3, "inconclusive")
    assert "only 1 of 8 cases were asked (`--prompt refund --case c001`)" in done.stdout.lower()


def test_a_filter_that_matches_nothing_is_a_mistake_that_names_what_there_is(edited: RepoBuilder) -> None:
    unchanged = call(edited, "check", "--prompt", "refund")
    assert (unchanged.returncode, "these are: order" in unchanged.stderr) == (2, True)
    nothing = call(edited, "check", "--case", "nope-*")
    assert (nothing.returncode, "There are: c000, c001" in nothing.stderr) == (2, True)


def test_a_part_of_a_run_is_not_remembered(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server, run={"memory": ".promptci/memory"})})
        (builder.path / PROMPT).write_text(prompt(BAD))
        call(builder, "check", "--case", "c000")
        assert not list(builder.path.glob(".promptci/memory/**/*.jsonl"))
        call(builder, "check")
        assert list(builder.path.glob(".promptci/memory/**/*.jsonl"))


def test_a_saved_file_starts_the_next_run_and_the_report_does_not(tmp_path: Path) -> None:
    builder = RepoBuilder(tmp_path / "shop")
    builder.write({"a.txt": "1", ".gitignore": "ignored/\n"}).commit()
    out = builder.path / "promptci-report"
    before = watch.read_state(builder.path, out)
    builder.write({"promptci-report/report.html": "x", "ignored/x": "y"})
    assert watch.read_state(builder.path, out) == before
    builder.write({"a.txt": "22", "new.txt": "x"})
    assert watch.wait_for_change(builder.path, out, before) == ["a.txt", "new.txt"]


def test_watching_a_commit_is_a_mistake(edited: RepoBuilder) -> None:
    done = call(edited, "check", "--watch", "--head", "HEAD")
    assert (done.returncode, "--watch tests the working tree" in done.stderr) == (2, True)


def test_what_nobody_named_lies_at_the_top_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "app").mkdir()

    @click.command("places")
    @options.repository_options
    @options.output_option("Folder.")
    def print_places(root: Path, out: Path, config_path: str) -> None:
        click.echo(f"{root} {out}")

    group = click.Group(commands=[print_places])
    for folder, words, expected in (
        (tmp_path, [], ". promptci-report"),
        (tmp_path / "app", [], ".. ../promptci-report"),
        (tmp_path / "app", ["--out", "here"], ".. here"),
        (tmp_path, ["--repo", "app"], ". promptci-report"),
    ):
        monkeypatch.chdir(folder)
        assert CliRunner().invoke(group, ["places", *words]).output.strip() == expected


def test_a_mistake_comes_without_a_remark_on_what_is_tested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builder = RepoBuilder(tmp_path / "shop").write({**FILES, "promptci.yml": "foo: 1\n", ".gitignore": "promptci-*\n"})
    builder.commit()
    monkeypatch.chdir(builder.path)
    monkeypatch.delenv("CI", raising=False)
    for words in (["check"], ["check", "--dry-run"], ["check", "--base", "nowhere"]):
        assert "testing the working tree" not in CliRunner().invoke(group, words, standalone_mode=False).output
    builder.write({"promptci.yml": "version: 1\n"}).commit("mended")
    assert "testing the working tree" in CliRunner().invoke(group, ["check"], standalone_mode=False).output


@pytest.mark.parametrize("words", [["deploy", "order@v1.0.0"], ["bundle"]])
def test_a_missing_environment_is_answered_with_those_that_there_are(words: list[str], tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "deployments").mkdir()
    (tmp_path / "deployments" / "staging.yml").touch()
    with pytest.raises(UsageError, match="--env is missing") as raised:
        group([*words, "--repo", str(tmp_path)], standalone_mode=False)
    assert raised.value.hint == "Environments there: staging."
