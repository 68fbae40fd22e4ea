"""`--json` and `--dry-run`: one document on stdout, also where nothing was found, and nothing written in a dry run."""

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fakes.openai_server import Call, OpenAIServer
from fakes.repo import RepoBuilder
from support import memory_records
from support.cli_runs import call_promptci
from support.repositories import GOLDENS, GOOD, PROMPT, config, goldens, prompt, serving, shop

from promptci.memory.model import Line
from promptci.memory.store import Memory

FILES = {PROMPT: prompt(GOOD), GOLDENS: goldens(4)}
RUBRIC = "rubric.md"


def judging(call: Call) -> str:
    return json.dumps({"reason": "so it is", "score": 5})


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with serving() as running:
        yield running


@pytest.fixture
def builder(tmp_path: Path, server: OpenAIServer) -> RepoBuilder:
    return shop(tmp_path, {**FILES, "promptci.yml": config(server)})


def call(builder: RepoBuilder, *words: str) -> "subprocess.CompletedProcess[str]":
    return call_promptci(words, builder.path, {"PATH": os.environ["PATH"], "HOME": str(builder.path)})


def read(builder: RepoBuilder, *words: str) -> dict[str, Any]:
    """Run a command with --json, and return the only document on its stdout."""
    done = call(builder, *words, "--json")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["schema"].startswith("promptci/")
    return document


def contents(builder: RepoBuilder) -> dict[Path, bytes]:
    """Return every file of the working tree and its ignored folders."""
    files = (path for path in builder.path.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {path: path.read_bytes() for path in files}


def remember(builder: RepoBuilder) -> None:
    """Leave a memory with a blocking verdict, a passed one and a flaky case."""
    now = datetime.now(UTC)
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    lines: list[Line] = [
        memory_records.verdict("v1", at=at, repository="a/b", pull_request=7),
        memory_records.verdict("v2", at=at, verdict="pass", blocks=False, rules=()),
        memory_records.case(1, 1, at=at),
    ]
    assert Memory(builder.path / ".promptci" / "memory", today=now.date()).append(lines) is None


# promptci memory


@pytest.mark.parametrize(("command", "key"), [("list", "verdicts"), ("flaky", "prompts")])
def test_an_empty_memory_is_an_empty_list(builder: RepoBuilder, command: str, key: str) -> None:
    assert read(builder, "memory", command)[key] == []


def test_a_memory_without_verdicts_has_no_precision(builder: RepoBuilder) -> None:
    overall = read(builder, "memory", "precision")["overall"]
    assert overall == {"verdicts": 0, "labelled": 0, "correct": 0, "interval": None}


def test_verdicts_are_listed_for_programs(builder: RepoBuilder) -> None:
    remember(builder)
    document = read(builder, "memory", "list")
    (row,) = [row for row in document["verdicts"] if row["id"] == "v1"]
    assert len(document["verdicts"]) == 2
    assert (row["prompt"], row["verdict"], row["blocks"], row["mode"]) == ("order", "fail", True, "advise")
    assert (row["repository"], row["pull_request"], row["head"]) == ("a/b", 7, "b" * 40)
    assert row["at"].endswith("Z")
    assert (row["rules"], row["p"], row["delta"], row["feedback"]) == (["regression"], 0.001, -0.2, None)
    advised = read(builder, "memory", "list", "--advised")
    assert [row["id"] for row in advised["verdicts"]] == ["v1"]


def test_a_label_is_in_the_list_and_in_the_precision(builder: RepoBuilder) -> None:
    remember(builder)
    assert read(builder, "memory", "precision")["unlabelled"] == ["v1"]
    labelled = read(builder, "memory", "label", "v1", "incorrect", "--why", "an old golden")
    assert (labelled["id"], labelled["prompt"], labelled["label"]) == ("v1", "order", "incorrect")
    assert labelled["dry_run"] is False
    (row,) = read(builder, "memory", "list", "--advised")["verdicts"]
    assert (row["feedback"]["label"], row["feedback"]["why"]) == ("incorrect", "an old golden")
    precision = read(builder, "memory", "precision")
    assert (precision["overall"]["labelled"], precision["overall"]["correct"]) == (1, 0)
    assert set(precision["rules"]) == {"regression"}
    assert precision["unlabelled"] == []


def test_flaky_cases_are_counted_for_programs(builder: RepoBuilder) -> None:
    remember(builder)
    (noise,) = read(builder, "memory", "flaky")["prompts"]
    assert noise["prompt"] == "order"
    assert noise["flaky"] == [{"case": "c1", "digest": "d1", "passes": 1, "fails": 1, "share": 0.5}]
    assert (noise["discordance"], noise["cases"], noise["answers"]) == (1.0, 1, 2)


def test_a_label_tried_dry_is_not_written(builder: RepoBuilder) -> None:
    remember(builder)
    before = contents(builder)
    done = call(builder, "memory", "label", "v1", "correct", "--why", "read them", "--dry-run")
    assert (done.returncode, done.stdout) == (0, "v1 (order: fail) would be labelled correct.\n")
    assert read(builder, "memory", "label", "v1", "correct", "--why", "read them", "--dry-run")["dry_run"] is True
    assert contents(builder) == before


def test_a_dry_run_refuses_what_the_command_refuses(builder: RepoBuilder) -> None:
    done = call(builder, "memory", "label", "v1", "correct", "--why", "read them", "--dry-run", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no verdict `v1`" in done.stderr


def test_an_import_tried_dry_is_not_written(builder: RepoBuilder, tmp_path: Path) -> None:
    call(builder, "run", "--out", "report")
    for file in (builder.path / ".promptci" / "memory").glob("*.jsonl"):
        file.unlink()
    before = contents(builder)
    done = call(builder, "memory", "add", "report/report.json", "--dry-run")
    assert (done.returncode, done.stdout) == (0, "0 verdicts and 4 case results would be added.\n")
    assert read(builder, "memory", "add", "report/report.json", "--dry-run")["cases"] == 4
    assert contents(builder) == before
    added = read(builder, "memory", "add", "report/report.json")
    assert (added["verdicts"], added["cases"], added["duplicates"], added["problems"]) == ([], 4, 0, [])
    assert read(builder, "memory", "add", "report/report.json")["duplicates"] == 4


def test_an_unreadable_report_is_in_the_document_and_on_stderr(builder: RepoBuilder) -> None:
    done = call(builder, "memory", "add", "gone.json", "--json")
    assert done.returncode == 4
    (problem,) = json.loads(done.stdout)["problems"]
    assert problem["path"] == "gone.json"
    assert "gone.json" in done.stderr


def test_a_damaged_memory_is_a_note_and_stdout_stays_json(builder: RepoBuilder) -> None:
    remember(builder)
    (file,) = (builder.path / ".promptci" / "memory").glob("cases-*.jsonl")
    file.write_text("{\n")
    done = call(builder, "memory", "flaky", "--json")
    document = json.loads(done.stdout)
    assert document["prompts"] == []
    (note,) = document["notes"]
    assert "a damaged line was skipped" in note
    assert note in done.stderr


# promptci power, selftest and judge calibrate


def test_power_is_printed_for_programs(builder: RepoBuilder) -> None:
    (row,) = read(builder, "power", "--discordance", "0.1", "--drop", "0.2")["prompts"]
    assert (row["prompt"], row["cases"], row["graded"], row["drop"], row["usd"]) == ("order", 4, False, 0.2, None)
    (analysis,) = row["analyses"]
    assert (analysis["noise"], analysis["variance"]) == ("assumed: 10%", 0.1)
    assert analysis["cases_for_drop"] > 4


def test_a_prompt_without_goldens_has_no_analysis(tmp_path: Path) -> None:
    bare = shop(tmp_path, {PROMPT: prompt(GOOD), "promptci.yml": config(run={"memory": None})})
    (row,) = read(bare, "power")["prompts"]
    assert (row["prompt"], row["cases"], row["analyses"]) == ("order", 0, [])


def test_a_selftest_is_printed_for_programs(builder: RepoBuilder) -> None:
    done = call(builder, "selftest", "--yes", "--simulations", "100", "--json")
    (row,) = json.loads(done.stdout)["prompts"]
    assert (done.returncode, row["prompt"], row["cases"], row["simulations"]) == (0, "order", 4, 100)
    assert row["measured_on"]
    assert "blocked" in done.stderr
    written = json.loads((builder.path / "promptci-report" / "selftest" / "selftest.json").read_text())
    assert written["prompts"] == [row]


def test_a_selftest_prints_its_own_results_and_not_those_of_earlier_ones(builder: RepoBuilder) -> None:
    call(builder, "selftest", "--yes", "--simulations", "100")
    before = contents(builder)
    done = call(builder, "selftest", "--dry-run", "--json")
    assert json.loads(done.stdout)["prompts"] == []
    assert "calls: " in done.stderr
    assert contents(builder) == before


def test_a_selftest_to_which_nobody_agreed_prints_nothing(builder: RepoBuilder) -> None:
    done = call(builder, "selftest", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nothing was asked" in done.stderr


def judged(tmp_path: Path, server: OpenAIServer) -> RepoBuilder:
    labels = [{"id": f"c00{number}", "answer": "yes", "pass": number % 2 == 0} for number in range(4)]
    files = {
        PROMPT: prompt(GOOD),
        GOLDENS: goldens(4, **{"assert": [{"type": "judge"}]}),
        RUBRIC: "Be kind.",
        "goldens/order.labels.jsonl": "".join(json.dumps(label) + "\n" for label in labels),
        "promptci.yml": config(server, judge={"model": "judge-1", "rubric": RUBRIC, "probes": 0}),
    }
    return shop(tmp_path, files)


def test_a_calibration_is_printed_for_programs(tmp_path: Path) -> None:
    with serving(judging) as server:
        builder = judged(tmp_path, server)
        dry = read(builder, "judge", "calibrate", "--dry-run")
        assert (dry["prompts"], server.calls) == ({}, [])
        assert not (builder.path / "promptci-judge").exists()
        done = call(builder, "judge", "calibrate", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 1  # four labels are too few to trust a judge
    assert document["prompts"]["order"]["trusted"] is False
    assert document["prompts"]["order"]["calibration"]["labels"] == 4
    assert document == json.loads((builder.path / "promptci-judge" / "calibration.json").read_text())
