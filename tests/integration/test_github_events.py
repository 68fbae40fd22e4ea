"""The Action at every event: which two revisions are compared, what is refused, and that nothing is green unrun."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import github as fake
from fakes import openapi, runner
from fakes.openai_server import Call, OpenAIServer
from fakes.repo import RepoBuilder, clone_of
from support.action_runner import FORK, HERE, Run
from support.daily import first_daily, some_daily
from support.repositories import BAD, GOLDENS, GOOD, PROMPT, config, goldens, model, prompt, serving, shop

from promptci.publish.runner.workflow_commands import safe_line

FILES = {PROMPT: prompt(GOOD), GOLDENS: goldens(24)}
ZEROS = "0" * 40
LABEL = "run promptci"


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


@pytest.fixture
def keyless(tmp_path: Path, github: fake.GitHub) -> Run:
    """A repository whose endpoint needs a key, and a worse prompt in a pull request."""
    run = Run(tmp_path, shop(tmp_path, {**FILES, "promptci.yml": config()}), github)
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    return run


def test_a_merge_queue_gets_its_status_on_its_own_commit_and_no_comment(run: Run, github: fake.GitHub) -> None:
    head = run.builder.write({PROMPT: prompt(BAD)}).commit()
    run.event, ref = "merge_group", "refs/heads/gh-readonly-queue/main/pr-7-x"
    group = {"base_sha": run.sha("main"), "head_sha": head, "head_ref": ref, "base_ref": "refs/heads/main"}
    run.payload = {"action": "checks_requested", "merge_group": group, "repository": HERE}
    code, _ = run()

    assert (code, run.outputs["verdict"], github.bodies) == (1, "fail", [])
    assert [(status["sha"], status["state"]) for status in github.statuses] == [(head, "failure")]


def test_a_merge_queue_where_nothing_changed_reports_too(run: Run, github: fake.GitHub) -> None:
    head = run.builder.write({"README.md": "x"}).commit()
    run.event = "merge_group"
    run.payload = {"merge_group": {"base_sha": run.sha("main"), "head_sha": head}, "repository": HERE}
    code, _ = run()

    assert code == 0
    assert [(status["sha"], status["state"]) for status in github.statuses] == [(head, "success")]


def test_a_push_is_compared_with_what_was_there_before_even_where_it_was_forced(run: Run) -> None:
    start = run.sha("HEAD")
    before = run.builder.write({PROMPT: prompt("Copy the order number, nothing else.")}).commit()
    run.builder.git("reset", "--quiet", "--hard", start)
    after = run.builder.write({PROMPT: prompt(BAD)}).commit()
    run.event, run.payload = "push", {"before": before, "after": after, "ref": "refs/heads/main"}
    code, _ = run()

    assert (code, run.report["base"]["sha"], run.report["head"]["sha"]) == (1, before, after)


def test_gh_push_event_first_commit_before_zeros(run: Run) -> None:
    head = run.sha("HEAD")
    run.event, run.payload = "push", {"before": ZEROS, "after": head, "ref": "refs/heads/main"}
    code, _ = run()

    assert (code, run.outputs["verdict"]) == (0, "pass")
    assert [result["status"] for result in run.report["prompts"]] == ["added"]


def test_a_push_that_deletes_a_branch_tests_nothing(run: Run, server: OpenAIServer) -> None:
    run.event, run.payload = "push", {"before": run.sha("HEAD"), "after": ZEROS, "ref": "refs/heads/topic"}
    code, log = run(GITHUB_SHA=run.sha("main"))

    assert (code, run.output_text, run.github.statuses, server.calls) == (0, "", [], [])
    assert "there is nothing to test" in log


@pytest.mark.parametrize("event", first_daily(["schedule", "workflow_dispatch", "repository_dispatch"]))
def test_a_run_without_a_change_tests_everything_as_it_stands(
    run: Run, server: OpenAIServer, github: fake.GitHub, event: str
) -> None:
    run.event, run.payload = event, {"repository": HERE}
    code, _ = run(GITHUB_SHA=run.sha("main"))

    assert (code, run.report["kind"], run.report["base"]) == (0, "run", None)
    assert run.outputs["verdict"] == "pass"
    assert len(server.calls) == 24
    assert github.bodies == []


def test_a_nightly_run_below_the_limit_is_red(tmp_path: Path, github: fake.GitHub, server: OpenAIServer) -> None:
    strict = config(server, gate={"min_quality": 0.9})
    run = Run(tmp_path, shop(tmp_path, {PROMPT: prompt(BAD), GOLDENS: goldens(24), "promptci.yml": strict}), github)
    run.event, run.payload = "schedule", {"schedule": "0 3 * * *"}
    code, _ = run(GITHUB_SHA=run.sha("main"))

    assert (code, run.outputs["verdict"]) == (1, "fail")
    assert github.statuses[0]["state"] == "failure"


def test_a_run_by_hand_with_a_base_compares(run: Run) -> None:
    head = run.builder.write({PROMPT: prompt(BAD)}).commit()
    run.event, run.payload = "workflow_dispatch", {"inputs": {}}
    code, _ = run(GITHUB_SHA=head, INPUT_BASE="main")

    assert (code, run.report["kind"]) == (1, "check")


def test_gh_no_prompt_changed(run: Run, github: fake.GitHub, server: OpenAIServer) -> None:
    run.builder.write({"README.md": "docs"}).commit()
    started = time.process_time()
    code, _ = run()

    assert (code, run.outputs["verdict"], server.calls) == (0, "no-change", [])
    assert time.process_time() - started < 30
    assert (github.bodies, github.count("POST")) == ([], 1)  # the status alone


@pytest.mark.parametrize("count", first_daily([101, 10_000]))  # GitHub lists 100 on a page, and 3,000 at most
def test_gh_10k_changed_files(count: int, run: Run, github: fake.GitHub) -> None:
    run.builder.write({f"docs/{number // 100}/{number}.md": str(number) for number in range(count)}).commit()
    code, _ = run()

    assert (code, run.outputs["verdict"]) == (0, "no-change")
    assert not [exchange.path for exchange in github.exchanges if exchange.path.endswith("/files")]


def test_gh_pr_body_null_head_repo_null(keyless: Run) -> None:
    keyless.payload = keyless.pull_request(None)
    code, _ = keyless()

    assert (code, keyless.outputs["verdict"]) == (4, "error")
    assert "gives no secrets to pull requests from forks" in keyless.summary


def test_gh_fork_pr_readonly_token(keyless: Run, github: fake.GitHub) -> None:
    github.read_only = True
    keyless.payload = keyless.pull_request(FORK)
    code, log = keyless()

    assert (code, keyless.outputs["verdict"], github.bodies) == (4, "error", [])
    assert "`order` was not tested" in keyless.summary
    assert "A maintainer who has read the change" in keyless.summary
    assert "pull-requests: write" in log


def test_gh_dependabot_actor(keyless: Run, github: fake.GitHub) -> None:
    github.read_only = True
    code, _ = keyless(GITHUB_ACTOR="dependabot[bot]")

    assert (code, keyless.outputs["verdict"]) == (4, "error")
    assert "gives no secrets to pull requests of Dependabot" in keyless.summary


@pytest.mark.parametrize("mode", ["block", "advise"])
def test_a_fork_without_a_key_may_be_undecided_and_blocks_all_the_same(
    tmp_path: Path, github: fake.GitHub, mode: str
) -> None:
    run = Run(tmp_path, shop(tmp_path, {**FILES, "promptci.yml": config(gate={"mode": mode})}), github)
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    run.payload = run.pull_request(FORK)
    code, _ = run(**{"INPUT_ON-FORK": "inconclusive", "INPUT_APPROVAL-LABEL": LABEL})

    assert (code, run.outputs["verdict"], run.report["exit_code"]) == (3, "inconclusive", 3)
    assert f"putting the label `{LABEL}`" in run.summary
    assert github.statuses[0]["state"] == "failure"


def test_a_repository_s_own_pull_request_without_a_key_is_told_how_to_set_one(keyless: Run) -> None:
    code, _ = keyless()

    assert code == 4
    assert "secrets.OPENAI_API_KEY" in keyless.summary
    assert "A maintainer who has read" not in keyless.summary


def test_a_fork_is_tested_where_no_key_is_needed(run: Run) -> None:
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    run.payload = run.pull_request(FORK)
    code, _ = run()

    assert (code, run.outputs["verdict"]) == (1, "fail")


@pytest.mark.parametrize("repo", [FORK, None])
@pytest.mark.parametrize("options", [{}, {"INPUT_APPROVAL-LABEL": LABEL}])
def test_gh_prt_with_head_checkout_refused(
    run: Run, github: fake.GitHub, server: OpenAIServer, repo: dict[str, Any] | None, options: dict[str, str]
) -> None:
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    run.event, run.payload = "pull_request_target", run.pull_request(repo)
    code, log = run(**options)

    assert code == 4
    assert "come from outside this repository" in log
    assert (server.calls, github.exchanges) == ([], [])
    assert not (run.workspace / "promptci-report").exists()


def labelled(run: Run, label: str = LABEL, action: str = "labeled") -> None:
    run.event = "pull_request_target"
    run.payload = run.pull_request(FORK, action=action, label={"name": label})


def test_a_maintainers_label_lets_the_very_commit_run_with_the_key(
    run: Run, github: fake.GitHub, server: OpenAIServer
) -> None:
    head = run.builder.write({PROMPT: prompt(BAD)}).commit()
    github.pulls = [{"number": 7, "sha": head, "owner": "mallory", "branch": "topic"}]
    labelled(run)
    code, _ = run(**{"INPUT_APPROVAL-LABEL": LABEL, "INPUT_API-KEY": "sk-0123456789abcdef"})

    assert (code, run.outputs["verdict"], run.report["head"]["sha"]) == (1, "fail", head)
    assert {call.headers["authorization"] for call in server.calls} == {"Bearer sk-0123456789abcdef"}
    assert len(github.bodies) == 1


def test_an_approval_lapses_with_the_next_push(run: Run, github: fake.GitHub, server: OpenAIServer) -> None:
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    github.pulls = [{"number": 7, "sha": "e" * 40, "owner": "mallory", "branch": "topic"}]
    labelled(run)
    code, log = run(**{"INPUT_APPROVAL-LABEL": LABEL})

    assert code == 4
    assert "approval has lapsed" in log
    assert (server.calls, github.bodies) == ([], [])


@pytest.mark.parametrize(
    ("label", "action"), [(LABEL, "synchronize"), (LABEL, "unlabeled"), ("documentation", "labeled"), ("", "labeled")]
)
def test_a_push_after_the_label_and_another_label_approve_nothing(
    run: Run, server: OpenAIServer, label: str, action: str
) -> None:
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    labelled(run, label, action)
    code, log = run(**{"INPUT_APPROVAL-LABEL": LABEL})

    assert (code, server.calls) == (4, [])
    assert "take the label off and put it on again" in log


def test_an_approval_that_cannot_be_asked_after_is_none(run: Run, github: fake.GitHub, server: OpenAIServer) -> None:
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    labelled(run)
    without_token = run(**{"INPUT_APPROVAL-LABEL": LABEL, "INPUT_GITHUB-TOKEN": ""})
    unknown_pull = run(**{"INPUT_APPROVAL-LABEL": LABEL})

    assert (without_token[0], unknown_pull[0], server.calls) == (4, 4, [])


def test_gh_event_path_missing_or_truncated_json(run: Run) -> None:
    missing, log = run(GITHUB_EVENT_PATH="/nowhere.json")
    assert (missing, "GITHUB_EVENT_PATH" in log) == (2, True)

    cut = run.folder / "cut.json"
    cut.write_text('{"pull_request": {"num')
    truncated, log = run(GITHUB_EVENT_PATH=str(cut))
    assert (truncated, "not whole JSON" in log) == (2, True)


def shallow(run: Run, tmp_path: Path, *, reachable: bool = True) -> None:
    """Put a clone of depth 1 in the workspace, as actions/checkout makes it."""
    clone = clone_of(run.builder, tmp_path / "clone", "--depth=1", "--branch=pr")
    run.workspace = clone.root
    if not reachable:
        run.builder.path.rename(tmp_path / "gone")


def test_gh_shallow_clone_depth1(run: Run, tmp_path: Path) -> None:
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    shallow(run, tmp_path)
    code, _ = run()

    assert (code, run.outputs["verdict"], run.report["base"]["sha"]) == (1, "fail", run.sha("main"))


def test_gh_shallow_clone_depth1_fetches_one_commit_for_a_merge_queue(run: Run, tmp_path: Path) -> None:
    for number in range(5):
        base = run.builder.write({"README.md": str(number)}).commit()
    head = run.builder.write({PROMPT: prompt(BAD)}).commit()
    shallow(run, tmp_path)
    run.event, run.payload = "merge_group", {"merge_group": {"base_sha": base, "head_sha": head}}
    code, _ = run()

    assert code == 1
    assert len((run.workspace / ".git" / "shallow").read_text().split()) == 2  # two commits, both without parents


def test_gh_shallow_clone_depth1_without_a_way_to_fetch(run: Run, tmp_path: Path) -> None:
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    payload = run.pull_request()
    shallow(run, tmp_path, reachable=False)
    run.payload = payload
    code, _ = run()

    assert (code, run.outputs["verdict"]) == (4, "error")
    assert "`fetch-depth: 0`" in run.summary


def test_gh_rerun_attempt2_base_moved(run: Run, github: fake.GitHub) -> None:
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    run.payload = run.pull_request()
    base = run.sha("main")
    github.branches["main"] = base
    run()
    assert "has moved since" not in github.bodies[0]
    first = run.report["base"]["sha"]

    github.branches["main"] = moved = "d" * 40
    run()
    (body,) = github.bodies
    assert run.report["base"]["sha"] == first
    assert f"`main` has moved since: this run knew it at `{base[:7]}`, and now it stands at `{moved[:7]}`" in body
    assert ", attempt 2" in body


def test_gh_ghes_urls_and_sha256_repo(tmp_path: Path, server: OpenAIServer) -> None:
    builder = RepoBuilder(tmp_path / "shop", "--object-format=sha256")
    builder.write({"promptci.yml": config(server), **FILES}).commit("base")
    head = builder.branch("pr").write({PROMPT: prompt(BAD)}).commit()
    with fake.GitHub(prefix="/api/v3") as github:
        run = Run(tmp_path, builder, github)
        code, _ = run(GITHUB_SERVER_URL="https://ghes.example", **{"INPUT_CHECK-RUN": "true"})

        assert (code, len(head), github.unknown) == (1, 64, [])
        assert (github.statuses[0]["sha"], github.statuses[0]["target_url"]) == (
            head,
            "https://ghes.example/example/shop/actions/runs/10/attempts/1",
        )
        assert [check_run["sha"] for check_run in github.check_runs.values()] == [head]
        assert "<https://ghes.example/example/shop/actions/runs/10>" in github.bodies[0]


@pytest.mark.parametrize(
    "fault", some_daily(["no base", "no key", "broken prompt", "broken config", "no answers", "no goldens"], 3)
)
def test_gh_required_check_conclusion_never_neutral_on_error(tmp_path: Path, github: fake.GitHub, fault: str) -> None:
    def failing(call: Call) -> Any:
        return {"choices": []} if fault == "no answers" else model(call)

    with serving(failing) as server:
        files: dict[str, str] = {**FILES, "promptci.yml": config(None if fault == "no key" else server)}
        files |= {
            "broken config": {"promptci.yml": "treshold: 1\n"},
            "no goldens": {GOLDENS: ""},
            "no answers": {GOLDENS: goldens(6)},
        }.get(fault, {})
        run = Run(tmp_path, shop(tmp_path, files), github)
        run.builder.write({PROMPT: "messages: 3\n" if fault == "broken prompt" else prompt(BAD)}).commit()
        options = {"INPUT_BASE": "1" * 40} if fault == "no base" else {}
        code, _ = run(**options, **{"INPUT_CHECK-RUN": "true"})

    assert code in {2, 4}
    assert run.outputs["verdict"] == "error"
    assert [status["state"] for status in github.statuses] == ["error"]
    assert [check_run["conclusion"] for check_run in github.check_runs.values()] == ["failure"]


@pytest.mark.parametrize("mode", first_daily(["sticky", "new", "off"]))
def test_the_comment_is_kept_added_or_left_out(run: Run, github: fake.GitHub, mode: str) -> None:
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    for _ in range(2):
        assert run(INPUT_COMMENT=mode)[0] == 1

    assert len(github.bodies) == {"sticky": 1, "new": 2, "off": 0}[mode]


@pytest.mark.long
def test_comments_that_were_added_are_not_folded_when_the_repository_turns_to_a_sticky_one(
    run: Run, github: fake.GitHub
) -> None:
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    for mode in ("new", "new", "sticky", "sticky"):
        run(INPUT_COMMENT=mode)

    assert len(github.bodies) == 3


def test_gh_workflow_command_injection_stdout_stderr(tmp_path: Path, github: fake.GitHub) -> None:
    attack = "::add-mask::a\n##[error]x\n  ::stop-commands::t\n\x1b]8;;http://x\x07"
    with serving(lambda _: attack) as server:
        hostile = goldens(6, tags=["##[error]x"])
        run = Run(tmp_path, shop(tmp_path, {**FILES, GOLDENS: hostile}, server), github)
        run.builder.write({PROMPT: prompt(attack), "goldens/order.jsonl": hostile}).commit()
        _, log = run(INPUT_CONFIG="promptci.yml")
        _, refused = run(INPUT_COMMENT=attack)

    assert {result.name for result in runner.log(log)} <= {"error", "warning"}
    assert runner.log(refused) == []


NAMES = ["a\nb", "a\n::error::x", "##[error]x", 'quote"d', "e\u0301 nfd", "\u202egpj", "a|b`c`<b>@everyone"]


@pytest.mark.parametrize("name", first_daily(NAMES, 2))
def test_in_path_with_newline_quote_unicode_nfd(run: Run, github: fake.GitHub, name: str) -> None:
    run.builder.write({f"prompts/{name}.prompt.yml": "model: m\nmessages: 3\n"}).commit()
    code, log = run(**{"INPUT_CHECK-RUN": "true"})
    commands = runner.log(log)

    assert (code, run.outputs["verdict"]) == (4, "error")
    assert {command.name for command in commands} == {"error"}
    assert "2" in [command.properties.get("line") for command in commands]
    assert {command.properties["file"] for command in commands} == {safe_line(f"prompts/{name}.prompt.yml")}
    assert github.check_runs
    assert "\n::error" not in github.bodies[0]
    assert not {"\u202e", "\x00"} & set(github.bodies[0] + log)


def test_the_clone_keeps_its_settings(run: Run, tmp_path: Path) -> None:
    """A run reads and fetches; it configures nothing."""
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    shallow(run, tmp_path)
    before = (run.workspace / ".git" / "config").read_text()
    run()

    assert (run.workspace / ".git" / "config").read_text() == before
