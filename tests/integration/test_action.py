"""The Action as a whole: a runner's environment, a real repository, a model and a GitHub on loopback."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import github as fake
from fakes import openapi, runner
from fakes.openai_server import Call, OpenAIServer, error
from support import processes
from support.action_runner import Run
from support.daily import first_daily
from support.processes import LONGEST_S, wait_until
from support.repositories import BAD, GOLDENS, GOOD, PROMPT, config, goldens, model, prompt, serving, shop

from promptci.action import main

OWNER = 1001
FILES = {PROMPT: prompt(GOOD), GOLDENS: goldens(24), ".gitignore": ".promptci/\npromptci-report/\n"}


@pytest.fixture
def github() -> Iterator[fake.GitHub]:
    with fake.GitHub() as server, openapi.watched(server):
        yield server


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with serving() as running:
        yield running


@pytest.fixture
def run(tmp_path: Path, github: fake.GitHub, server: OpenAIServer) -> Run:
    return Run(tmp_path, shop(tmp_path, FILES, server), github)


def test_a_regression_is_commented_marked_announced_and_blocked(run: Run, github: fake.GitHub) -> None:
    head = run.builder.write({PROMPT: prompt(BAD)}).commit()
    code, log = run()
    assert code == 1
    (body,) = github.bodies
    assert "order" in body
    assert "Sure! Your number is GH-1001" in body
    (status,) = github.statuses
    assert (status["state"], status.get("sha", head)) == ("failure", head)
    assert "\nfail: order got worse on these goldens: " in log
    assert run.outputs["verdict"] == "fail"
    assert run.outputs["regressions"] == "12"
    assert run.outputs["fixes"] == "0"
    assert run.outputs["quality-delta"] == "-0.5000"
    assert run.outputs["cost-delta-per-month"] == ""
    assert run.outputs["report-path"] == "promptci-report"
    assert (run.builder.path / run.outputs["comment-path"]).is_file()
    assert "Sure! Your number" in (run.folder / "summary").read_text()
    (result,) = runner.log(log)
    assert (result.name, result.properties["file"], result.properties["line"]) == ("error", PROMPT, "5")
    assert "\n      + after     {+Sure! Your number is +}GH-1001\n" in log


def test_the_second_run_updates_the_comment(run: Run, github: fake.GitHub) -> None:
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    run()
    run.builder.write({PROMPT: prompt("Copy the order number, nothing else.")}).commit()
    code, _ = run()
    assert code == 0
    (body,) = github.bodies
    assert "Sure!" not in body
    assert [status["state"] for status in github.statuses] == ["failure", "success"]


def test_nothing_relevant_leaves_no_comment(run: Run, github: fake.GitHub, server: OpenAIServer) -> None:
    run.builder.write({"README.md": "docs"}).commit()
    code, _ = run()
    assert (code, github.bodies, server.calls, run.outputs["verdict"]) == (0, [], [], "no-change")


def test_without_permission_to_comment_it_still_decides_and_says_so(run: Run, github: fake.GitHub) -> None:
    github.read_only = True
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    code, log = run()
    assert (code, github.bodies, run.outputs["verdict"]) == (1, [], "fail")
    assert "pull-requests: write" in log
    assert "Sure!" in (run.folder / "summary").read_text()


def test_without_a_token_it_still_decides_and_says_so(run: Run, github: fake.GitHub) -> None:
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    code, log = run(**{"INPUT_GITHUB-TOKEN": ""})
    assert (code, github.exchanges) == (1, [])
    assert "no token" in log


def test_the_key_is_handed_to_the_endpoint_and_to_nobody_else(
    tmp_path: Path, github: fake.GitHub, server: OpenAIServer
) -> None:
    key = "sk-CANARY-0123456789abcdef"
    run = Run(tmp_path, shop(tmp_path, FILES, server), github)
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    _, log = run(**{"INPUT_API-KEY": key})
    assert {call.headers["authorization"] for call in server.calls} == {f"Bearer {key}"}
    written = [path.read_bytes() for path in (run.builder.path / "promptci-report").iterdir()]
    assert not any(key.encode() in text for text in (*written, log.encode(), github.bodies[0].encode()))


def test_malformed_files_are_annotated_each_on_its_line(run: Run, github: fake.GitHub) -> None:
    run.builder.write({PROMPT: "model: m\nmessages: 3\n", GOLDENS: "{\n"}).commit()
    code, log = run()
    assert (code, run.outputs["verdict"]) == (4, "error")
    marks = {(result.properties["file"], result.properties.get("line")) for result in runner.log(log)}
    assert (PROMPT, "2") in marks
    assert PROMPT in github.bodies[0]


def test_the_log_gives_the_reason_once_where_it_is_every_prompt_s(tmp_path: Path, github: fake.GitHub) -> None:
    names = ("invoice", "order", "refund")
    files = {f"prompts/{name}.prompt.yml": prompt(GOOD) for name in names}
    sets = {f"goldens/{name}.jsonl": goldens(3) for name in names}
    with serving(lambda _: error(401, "Incorrect API key provided.")) as server:
        run = Run(tmp_path, shop(tmp_path, {**files, **sets}, server), github)
        run.builder.write(dict.fromkeys(files, prompt(BAD))).commit()
        code, log = run()
    assert (code, run.outputs["verdict"]) == (4, "error")
    below_headline = log[log.index("\nerror: ") :].splitlines()[2:]
    assert [line for line in below_headline if "Incorrect API key" in line] == [
        line for line in below_headline if line.startswith("  all 3 prompts: ")
    ]
    assert "HTTP 401: Incorrect API key provided." in "".join(below_headline)


def test_a_missing_base_commit_is_an_error_with_a_report(run: Run) -> None:
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    code, _ = run(INPUT_BASE="1" * 40)
    assert (code, run.outputs["verdict"]) == (4, "error")
    assert "There is no commit" in (run.builder.path / "promptci-report" / "comment.md").read_text()


def test_a_broken_event_file_is_a_clear_error(run: Run) -> None:
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    code, log = run(GITHUB_EVENT_PATH="/nowhere.json")
    assert code == 2
    assert "GITHUB_EVENT_PATH" in log


def test_hostile_answers_become_no_command_of_the_runner(tmp_path: Path, github: fake.GitHub) -> None:
    attack = "\n::add-mask::a\n##[error]x\n::stop-commands::t\n@everyone <script>alert(1)</script>"

    def hostile(call: Call) -> str:
        return model(call) + (attack if "chatty" in str(call.body) else "")

    with serving(hostile) as server:
        run = Run(tmp_path, shop(tmp_path, FILES, server), github)
        run.builder.write({PROMPT: prompt(BAD)}).commit()
        code, log = run()
    assert code == 1
    assert {result.name for result in runner.log(log)} == {"error"}
    assert "<script>alert(1)</script>" not in (run.builder.path / "promptci-report" / "report.html").read_text()


def strangers(run: Run) -> list[Path]:
    """Return what lies in the workspace and does not belong to its owner, where we may give files away."""
    results = [path for path in run.builder.path.rglob("*") if path.lstat().st_uid != OWNER]
    return results if os.geteuid() == 0 else []


def give_away(run: Run) -> None:
    if os.geteuid() == 0:
        for place in (run.builder.path, *run.builder.path.rglob("*")):
            os.lchown(place, OWNER, OWNER)


@pytest.mark.parametrize(
    ("options", "code"), first_daily([({}, 1), ({"INPUT_BASE": "1" * 40}, 4), ({"INPUT_CONFIG": "x.yml"}, 1)])
)
def test_gh_outputs_chowned_back(run: Run, options: dict[str, str], code: int) -> None:
    run.builder.write({PROMPT: prompt(BAD), "x.yml": (run.builder.path / "promptci.yml").read_text()}).commit()
    give_away(run)

    assert run(**options)[0] == code
    assert (run.builder.path / "promptci-report" / "report.html").exists()
    assert strangers(run) == []


def test_gh_outputs_chowned_back_where_the_report_cannot_be_written(run: Run) -> None:
    """A folder stands where report.html goes: what was written by then still changes hands."""
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    (run.builder.path / "promptci-report" / "report.html").mkdir(parents=True)
    give_away(run)
    err = io.StringIO()

    assert main.main(run.environ(), io.StringIO(), err) == 4
    assert "the report cannot be written to" in err.getvalue()
    assert run.github.statuses[-1]["state"] == "error"
    assert (run.builder.path / "promptci-report" / "journal.jsonl").exists()
    assert strangers(run) == []


def test_the_entry_point_is_the_action(run: Run) -> None:
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    entry = Path(__file__).parents[2] / "entrypoint.py"
    done = subprocess.run([sys.executable, str(entry)], env=run.environ(), capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "Blocked" in (run.folder / "summary").read_text()


def test_a_pull_request_into_a_branch_without_configuration(tmp_path: Path, github: fake.GitHub) -> None:
    with serving() as server:
        run = Run(tmp_path, shop(tmp_path, {"README.md": "x"}), github)
        run.builder.write({**FILES, "promptci.yml": config(server)}).commit()
        code, _ = run()
    assert (code, run.outputs["verdict"]) == (0, "pass")


CANCELS = {"both": [signal.SIGINT, signal.SIGTERM], "sigterm": [signal.SIGTERM], "sigint": [signal.SIGINT]}


@pytest.mark.parametrize("signs", first_daily(CANCELS.values()), ids=CANCELS)
def test_gh_cancel_in_progress_sigint(tmp_path: Path, github: fake.GitHub, signs: list[signal.Signals]) -> None:
    with serving(latency_s=0.1) as server:
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server, run={"concurrency": 2})})
        run = Run(tmp_path, builder, github)
        builder.write({PROMPT: prompt(BAD)}).commit()
        give_away(run)
        entry = Path(__file__).parents[2] / "entrypoint.py"
        command = [sys.executable, str(entry)]
        process = processes.start(command, env=run.environ(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_until(lambda: len(server.calls) > 10, process)
        for sign in signs:
            process.send_signal(sign)
            time.sleep(0.05)
        _, err = process.communicate(timeout=LONGEST_S)
    assert process.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    assert len((builder.path / "promptci-report" / "journal.jsonl").read_text().splitlines()) > 5
    assert strangers(run) == []
    assert github.statuses == []


def test_a_shard_tells_github_nothing_and_the_merge_tells_all(run: Run, github: fake.GitHub) -> None:
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    for index in (1, 2):
        code, log = run(INPUT_SHARD=f"{index}/2", INPUT_OUT=f"parts/{index}")
        assert (code, github.bodies, github.statuses) == (0, [], [])
        assert f"shard {index}/2" in log
        assert {name: text for name, text in run.outputs.items() if text} == {"report-path": f"parts/{index}"}
        assert run.summary == ""

    code, log = run(INPUT_MERGE="parts")

    assert code == 1
    assert len(github.bodies) == 1
    assert [status["state"] for status in github.statuses] == ["failure"]
    assert (run.outputs["verdict"], run.outputs["regressions"]) == ("fail", "12")


def test_a_merge_without_all_its_shards_is_red(run: Run, github: fake.GitHub) -> None:
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    assert run(INPUT_SHARD="2/2", INPUT_OUT="parts/2")[0] == 0
    code, _ = run(INPUT_MERGE="parts")
    assert code == 4
    assert run.outputs["verdict"] == "error"
    assert [status["state"] for status in github.statuses] == ["error"]
    assert "of 2 shards 1 handed in nothing: 1" in github.bodies[0]


def test_a_merge_of_nothing_is_red(run: Run, github: fake.GitHub) -> None:
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    assert run(INPUT_MERGE="parts")[0] == 4
    assert [status["state"] for status in github.statuses] == ["error"]


@pytest.mark.parametrize("shard", ["0/3", "4/3", "x", "1/999", "1", "-1/3"])
def test_a_shard_that_cannot_be_is_refused(run: Run, github: fake.GitHub, shard: str) -> None:
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    code, log = run(INPUT_SHARD=shard)
    assert code == 2
    assert "is no part of a run" in log
    assert github.statuses == []
