"""Runs that overlap, answer other questions, or are set off by other events do not stand in for the gate."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import github as fake
from fakes import openapi
from fakes.openai_server import Call, OpenAIServer
from support.action_runner import Run
from support.daily import first_daily
from support.repositories import BAD, GOLDENS, GOOD, PROMPT, goldens, model, prompt, serving, shop

from promptci.publish.runner.context import ActionContext

FILES = {PROMPT: prompt(GOOD), GOLDENS: goldens(24)}


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


def states(github: fake.GitHub) -> dict[str, str]:
    """Return the state that stands for each context."""
    return {status["context"]: status["state"] for status in github.statuses}


def break_prompt(run: Run) -> str:
    return run.builder.write({PROMPT: prompt(BAD)}).commit()


@pytest.mark.parametrize(
    "event", ["issue_comment", "pull_request_review_comment", "deployment", "check_suite", "label"]
)
def test_an_event_that_is_not_known_is_refused(run: Run, github: fake.GitHub, event: str) -> None:
    break_prompt(run)
    run.event, run.payload = event, {}
    code, log = run()
    assert code == 2
    assert f"The event '{event}' is not supported" in log
    assert not github.exchanges


@pytest.mark.parametrize("event", first_daily(["schedule", "workflow_dispatch"]))
def test_a_run_that_compares_nothing_leaves_the_gate_s_status_and_comment_alone(
    run: Run, github: fake.GitHub, event: str
) -> None:
    head = break_prompt(run)
    assert run()[0] == 1
    comments = list(github.bodies)
    run.event, run.payload = event, {}
    run(GITHUB_SHA=head, GITHUB_RUN_ID="11")
    assert states(github)["promptci"] == "failure"
    assert set(states(github)) == {"promptci", "promptci (nightly)"}
    assert github.bodies == comments


@pytest.mark.long
def test_another_base_is_another_check(run: Run, github: fake.GitHub) -> None:
    head = break_prompt(run)
    assert run()[0] == 1
    run.event, run.payload = "workflow_dispatch", {}
    assert run(GITHUB_SHA=head, GITHUB_RUN_ID="11", INPUT_BASE=head)[0] == 0
    assert states(github) == {"promptci": "failure", f"promptci (base {head})": "success"}


def test_a_deleted_branch_sets_no_status(run: Run, github: fake.GitHub) -> None:
    run.event, run.payload = "push", {"before": run.sha("main"), "after": "0" * 40, "deleted": True}
    code, log = run(GITHUB_SHA=run.sha("main"))
    assert (code, github.statuses) == (0, [])
    assert "nothing to test" in log


@pytest.mark.long
def test_two_named_checks_keep_comment_and_status_apart(run: Run, github: fake.GitHub) -> None:
    break_prompt(run)
    run(INPUT_NAME="gpt")
    run(INPUT_NAME="claude")
    assert states(github) == {"promptci (gpt)": "failure", "promptci (claude)": "failure"}
    assert len(github.bodies) == 2


def test_of_two_jobs_of_one_attempt_the_worse_verdict_stands(tmp_path: Path, github: fake.GitHub) -> None:
    """Two jobs with one name, such as a matrix over models, in which one model copes with the change."""
    copes = False

    def answer(call: Call) -> str:
        return model(call).rpartition(" ")[2] if copes else model(call)

    with serving(answer) as server:
        run = Run(tmp_path, shop(tmp_path, FILES, server), github)
        break_prompt(run)
        assert run(GITHUB_RUN_ATTEMPT="1")[0] == 1
        blocked = list(github.bodies)
        for folder in (".promptci", "promptci-report"):
            shutil.rmtree(run.builder.path / folder)
        copes = True
        code, log = run(GITHUB_RUN_ATTEMPT="1")
    assert code == 0
    assert states(github) == {"promptci": "failure"}
    assert github.bodies == blocked
    assert "another job of this run ended worse" in log


def test_a_later_attempt_replaces_an_earlier_one(run: Run, github: fake.GitHub, server: OpenAIServer) -> None:
    head = break_prompt(run)
    assert run()[0] == 1
    github.statuses.append({**github.statuses[-1], "state": "error"})
    assert run()[0] == 1
    assert github.statuses[-1]["sha"] == head
    assert states(github) == {"promptci": "failure"}


def test_a_run_whose_commit_is_no_longer_the_head_writes_nothing(run: Run, github: fake.GitHub) -> None:
    break_prompt(run)
    github.pulls.append({"number": 7, "sha": "e" * 40, "owner": "example", "branch": "topic"})
    code, log = run()
    assert code == 1
    assert (github.bodies, github.statuses, github.check_runs) == ([], [], {})
    assert "the pull request has a newer commit" in log


def test_an_older_run_that_wrote_last_is_written_over(run: Run, github: fake.GitHub) -> None:
    """The older run had looked before this one wrote; it ends in the same second."""
    break_prompt(run)
    run(GITHUB_RUN_ID="8")
    (number,) = github.comments
    older = github.comments[number]["body"]
    github.after.append(("PATCH", lambda: github.comments[number].update(body=older)))
    stale: dict[str, Any] = {**github.statuses[-1], "state": "success"}
    github.after.append(("POST", lambda: github.statuses.append(stale)))
    run(GITHUB_RUN_ID="10", GITHUB_RUN_ATTEMPT="1")
    assert "run=10 attempt=1" in github.bodies[0]
    assert github.statuses[-1]["target_url"].endswith("/runs/10/attempts/1")
    assert states(github) == {"promptci": "failure"}


def test_an_app_recognises_its_own_comment(run: Run, github: fake.GitHub) -> None:
    github.login = "acme-prompts[bot]"
    head = break_prompt(run)
    run()
    run()
    assert (len(github.bodies), github.count("DELETE")) == (1, 0)
    assert github.count("POST") == 1 + 2  # one comment, two statuses
    run.builder.git("revert", "--no-edit", head)
    run()
    assert len(github.bodies) == 1
    assert "Blocked" not in github.bodies[0]


@pytest.mark.parametrize("author", first_daily(["somebody", "dependabot"]))
def test_a_person_s_comment_with_the_marker_is_never_taken_for_our_own(
    run: Run, github: fake.GitHub, author: str
) -> None:
    break_prompt(run)
    run()
    (own,) = github.comments
    forged = github.add_comment(github.comments[own]["body"].replace("Blocked", "Pass"), author)
    text = github.comments[forged]["body"]
    run()
    assert github.comments[forged]["body"] == text
    assert len(github.bodies) == 2


@pytest.mark.parametrize("out", ["../elsewhere", ".git", ".", "promptci-report"])
def test_an_output_folder_that_leads_elsewhere_is_refused_and_the_status_is_error(
    run: Run, github: fake.GitHub, tmp_path: Path, out: str
) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    if out == "promptci-report":
        (run.builder.path / out).symlink_to("../victim")
    break_prompt(run)
    code, log = run(INPUT_OUT=out)
    assert code == 4
    assert "The output folder" in log
    assert states(github) == {"promptci": "error"}
    assert not list(victim.iterdir())
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(("name", "value"), [("INPUT_API-KEY", "sk-abc\ndef"), ("INPUT_GITHUB-TOKEN", "ghs_a\r\nb")])
def test_a_secret_with_a_line_break_is_refused_at_once(run: Run, name: str, value: str) -> None:
    break_prompt(run)
    code, log = run(**{name: value})
    assert code == 2
    assert "holds a line break or control character" in log


def test_a_socks_proxy_that_cannot_be_used_for_github_is_named_and_the_gate_still_decides(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "socks5://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    break_prompt(run)
    code, log = run()
    assert code == 1
    assert "the proxy of the environment is no HTTP proxy" in log


def test_an_empty_address_of_the_server_is_github_s_own(run: Run) -> None:
    context = ActionContext.from_environ(run.environ(GITHUB_API_URL="", GITHUB_SERVER_URL=""))
    assert (context.api_url, context.server_url) == ("https://api.github.com", "https://github.com")
