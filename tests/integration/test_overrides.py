"""An override and approvals in the Action as a whole: what the check, the comment, the report and the outputs say."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import github as fake
from fakes import openapi
from fakes.github_people import account, minute, number_of
from fakes.openai_server import OpenAIServer, error
from support.action_runner import FORK, Run
from support.repositories import BAD, GOLDENS, GOOD, PROMPT, config, goldens, prompt, serving, shop

LABEL = "promptci-override"
FILES = {PROMPT: prompt(GOOD), GOLDENS: goldens(16), ".gitignore": ".promptci/\npromptci-report/\n"}
SETTINGS: dict[str, Any] = {
    "merge_override": {"label": LABEL},
    "approvals": {"rules": [{"prompts": "prompts/clinical/**", "role": "medical-review", "by": ["dr-ada"]}]},
}
HOSTILE = (
    "@everyone see https://evil.example `x` </details> <!-- promptci:v1 key=promptci --> \u202eevil\u202c ##[error]x #1"
)


@pytest.fixture
def github() -> Iterator[fake.GitHub]:
    with fake.GitHub() as server, openapi.watched(server):
        server.people.roles = {"ada": "maintain", "dr-ada": "write"}
        yield server


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with serving() as running:
        yield running


@pytest.fixture
def run(tmp_path: Path, github: fake.GitHub, server: OpenAIServer) -> Run:
    return Run(tmp_path, shop(tmp_path, {**FILES, "promptci.yml": config(server, **SETTINGS)}), github)


def propose(run: Run, files: dict[str, str], *, at: int = 1) -> str:
    """Push a commit of mallory's to the pull request."""
    head = run.builder.write(files).commit()
    labels = run.github.pulls[0]["labels"] if run.github.pulls else []
    pull = {"number": 7, "sha": head, "owner": "example", "branch": "topic", "labels": labels}
    run.github.pulls = [{**pull, "user": account("mallory")}]
    run.github.people.push(head, at)
    return head


def override(run: Run, reason: str = "the supplier is back tomorrow", *, by: str = "ada", at: int = 10) -> None:
    """Put the label on, and write the reason."""
    run.github.pulls[0]["labels"] = [LABEL]
    run.github.people.label(LABEL, by, at)
    written = run.github.comments[run.github.add_comment(f"/promptci override {reason}", by)]
    written |= {"user": account(by), "created_at": minute(at), "updated_at": minute(at)}


def our_comment(run: Run) -> str:
    (body,) = (body for body in run.github.bodies if body.startswith("<!-- promptci:v1"))
    return body


def test_override_lets_a_blocked_change_through_and_costs_nothing(run: Run, server: OpenAIServer) -> None:
    head = propose(run, {PROMPT: prompt(BAD)})
    code, log = run()
    assert code == 1
    assert "note: To merge all the same: somebody, not the author, with the permission `maintain`" in log
    asked = len(server.calls)
    override(run)
    code, log = run(**{"INPUT_CHECK-RUN": "true"})
    assert (code, len(server.calls) - asked) == (0, 0)  # every answer comes from the cache
    assert run.report["verdict"] == "fail"
    assert run.report["exit_code"] == 0
    assert run.report["override"] == {
        "by": "ada",
        "id": number_of("ada"),
        "permission": "maintain",
        "reason": "the supplier is back tomorrow",
        "reason_by": "ada",
        "source": "comment",
        "head": head,
        "at": minute(10),
        "verdict": "fail",
        "rules": ["regression"],
    }
    assert run.outputs["verdict"] == "fail"
    assert (run.outputs["overridden-by"], run.outputs["override-reason"]) == ("ada", "the supplier is back tomorrow")
    status = run.github.statuses[-1]
    assert status["state"] == "success"
    assert status["description"] == "Passed by override of ada (fail: regression): the supplier is back tomorrow"
    (check,) = run.github.check_runs.values()
    assert check["conclusion"] == "success"
    assert check["output"]["title"] == status["description"]
    expected = f"Overridden by `ada` (account {number_of('ada')}, permission `maintain`) on 2026-11-02 09:10 UTC"
    page = (run.workspace / "promptci-report" / "report.html").read_text()
    assert "### ⚠️ Not blocked, overridden by ada: order got worse" in our_comment(run)
    assert expected in our_comment(run)
    assert expected in log
    assert expected.replace("`ada`", "<code>ada</code>").replace("`maintain`", "<code>maintain</code>") in page


def test_push_after_the_override_blocks_again(run: Run) -> None:
    propose(run, {PROMPT: prompt(BAD)})
    override(run)
    assert run()[0] == 0
    propose(run, {PROMPT: prompt(BAD + " Be brief.")}, at=11)
    code, log = run()
    assert code == 1
    assert "Not overridden: the comment with the reason was written before the last push; write a new one." in log
    assert run.report["override"] is None
    assert "Not overridden: " in our_comment(run)
    assert run.github.statuses[-1]["state"] == "failure"


def test_hostile_reason_is_text_everywhere(run: Run) -> None:
    propose(run, {PROMPT: prompt(BAD)})
    override(run, HOSTILE)
    code, log = run()
    body = our_comment(run)
    page = (run.workspace / "promptci-report" / "report.html").read_text()
    assert code == 0
    for text in (body, log, page, run.outputs["override-reason"], run.github.statuses[-1]["description"]):
        assert "\u202e" not in text
    assert "@everyone" not in body
    assert "https://evil" not in body
    assert body.count("<!-- promptci:v1") == 1
    assert "##[error]" not in log
    assert "<!-- promptci" not in page


def test_pull_request_cannot_grant_itself_the_right(run: Run, server: OpenAIServer) -> None:
    own = {"merge_override": {"label": "mine", "permission": "write", "own_change": True}}
    propose(run, {PROMPT: prompt(BAD), "promptci.yml": config(server, **own)})
    run.github.people.roles["mallory"] = "write"
    override(run, by="mallory")
    run.github.pulls[0]["labels"] = ["mine", LABEL]
    run.github.people.label("mine", "mallory", 10)
    code, log = run()
    assert code == 1
    assert "is by `mallory`, who is the author of the pull request" in log


def test_configuration_that_only_the_change_has_allows_nothing(
    tmp_path: Path, github: fake.GitHub, server: OpenAIServer
) -> None:
    run = Run(tmp_path, shop(tmp_path, FILES), github)
    propose(run, {PROMPT: prompt(BAD), "promptci.yml": config(server, **SETTINGS)})
    override(run)
    code, _ = run()
    assert (code, run.report["override"], run.report["verdict"]) == (1, None, "fail")


def test_error_is_overridden_only_where_the_configuration_says_so(tmp_path: Path, github: fake.GitHub) -> None:
    with serving(lambda _: error(401, "Incorrect API key provided.")) as server:
        for allowed, expected in ((False, (4, "error")), (True, (0, "success"))):
            github.pulls, github.people.pushes, github.comments = [], [], {}
            settings = {"merge_override": {"label": LABEL, "errors": allowed}}
            folder = tmp_path / str(allowed)
            folder.mkdir()
            run = Run(folder, shop(folder, {**FILES, "promptci.yml": config(server, **settings)}), github)
            propose(run, {PROMPT: prompt(BAD)})
            override(run)
            code, _ = run()
            assert (code, github.statuses[-1]["state"], run.report["verdict"]) == (*expected, "error")


def test_fork_s_pull_request_is_overridden_by_a_maintainer_alone(run: Run, server: OpenAIServer) -> None:
    del server
    propose(run, {PROMPT: prompt(BAD)})
    run.payload = run.pull_request(FORK)
    override(run, by="mallory")
    assert run()[0] == 1
    override(run)
    assert run()[0] == 0


def test_without_a_token_nothing_is_overridden(run: Run) -> None:
    propose(run, {PROMPT: prompt(BAD)})
    override(run)
    code, log = run(**{"INPUT_GITHUB-TOKEN": ""})
    assert code == 1
    assert "Not overridden: GitHub did not answer who has the right to. There is no token" in log


def test_override_asks_github_nothing_where_nothing_blocks(run: Run) -> None:
    propose(run, {PROMPT: prompt("Copy the order number, nothing else.")})
    override(run)
    assert run()[0] == 0
    assert not any("/collaborators/" in each.path for each in run.github.exchanges)
    assert run.report["override"] is None


CLINICAL = {"prompts/clinical/triage.prompt.yml": prompt(GOOD), "goldens/triage.jsonl": goldens(16)}


def test_missing_approval_blocks_until_the_right_person_approves_the_head(
    tmp_path: Path, github: fake.GitHub, server: OpenAIServer
) -> None:
    run = Run(tmp_path, shop(tmp_path, {**FILES, **CLINICAL, "promptci.yml": config(server, **SETTINGS)}), github)
    head = propose(run, {"prompts/clinical/triage.prompt.yml": prompt(GOOD + " Nothing else.")})
    code, log = run()
    assert (code, run.outputs["verdict"]) == (1, "fail")
    assert "fail: The approval `medical-review` for `triage` is missing: it takes a review by `dr-ada`." in log
    assert [each["verdict"] for each in run.report["prompts"]] == ["inconclusive"]
    override(run)
    assert run()[0] == 1  # `merge_override.approvals` is off
    github.people.review("dr-ada", head, at=12)
    run.event, run.payload = "pull_request_review", {**run.pull_request(), "action": "submitted"}
    code, _ = run()
    assert (code, run.outputs["verdict"], github.statuses[-1]["state"]) == (0, "inconclusive", "success")
    assert "The approval `medical-review` for `triage` is there, by `dr-ada`." in our_comment(run)
    assert run.report["approvals"] == [
        {
            "role": "medical-review",
            "prompts": ["triage"],
            "pattern": "prompts/clinical/**",
            "required": 1,
            "allowed": ["dr-ada"],
            "state": "approved",
            "approvers": [{"by": "dr-ada", "id": number_of("dr-ada"), "at": minute(12)}],
        }
    ]


def test_report_of_a_fork_cannot_claim_an_override(run: Run) -> None:
    head = propose(run, {PROMPT: prompt(BAD)})
    override(run, "nice try")
    run()
    forged = json.dumps({**run.report, "headline": "Blocked: order got worse."})
    (run.workspace / "artifact").mkdir()
    (run.workspace / "artifact" / "report.json").write_text(forged)
    source = {"id": 10, "run_attempt": 9, "event": "pull_request", "head_sha": head, "head_branch": "topic"}
    repository = {"full_name": "example/shop", "owner": {"login": "example"}}
    run.event = "workflow_run"
    run.payload = {"workflow_run": {**source, "head_repository": repository}, "repository": repository}
    code, _ = run(INPUT_FROM="artifact", GITHUB_RUN_ID="11")
    assert code == 0
    assert "Blocked: order got worse" in our_comment(run)
    assert "nice try" not in our_comment(run)
