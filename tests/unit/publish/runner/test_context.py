"""Every event names the right commits, and none that is dangerous gets past."""

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from promptci.errors import PromptciError, UnsafeError, UsageError
from promptci.publish.runner.context import ActionContext
from promptci.publish.runner.inputs import DEFAULTS, INPUTS

BASE, HEAD, MERGE, ZEROS = "b" * 40, "a" * 40, "c" * 40, "0" * 40
HERE, FORK = {"full_name": "example/shop"}, {"full_name": "mallory/shop"}


def pull_request(head_repo: Mapping[str, Any] | None = HERE, **changes: Any) -> dict[str, Any]:
    base = {"sha": BASE, "ref": "main", "repo": HERE}
    head = {"sha": HEAD, "ref": "topic", "repo": head_repo}
    return {"pull_request": {"number": 7, "body": None, "base": base, "head": head, **changes}, "repository": HERE}


def workflow_run(head: Mapping[str, Any] | None = HERE) -> dict[str, Any]:
    run = {"head_sha": HEAD, "head_repository": head, "pull_requests": [{"number": 7}]}
    return {"workflow_run": run, "repository": HERE}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_REPOSITORY": "example/shop",
        "GITHUB_SHA": MERGE,
        "GITHUB_RUN_ID": "123",
        "GITHUB_RUN_ATTEMPT": "2",
        "GITHUB_WORKSPACE": str(tmp_path),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }


def read(environ: dict[str, str], payload: Any, **options: str) -> ActionContext:
    Path(environ["GITHUB_EVENT_PATH"]).write_text(json.dumps(payload))
    return ActionContext.from_environ({**environ, **options})


def test_a_pull_request_names_its_own_commits_and_not_the_merge_commit(environ: dict[str, str]) -> None:
    context = read(environ, pull_request())

    assert (context.base_sha, context.head_sha, context.pull_request) == (BASE, HEAD, 7)
    assert not context.is_fork


def test_where_it_runs_is_read_from_the_runners_variables(environ: dict[str, str], tmp_path: Path) -> None:
    context = read(environ, pull_request(), GITHUB_API_URL="https://ghes.example/api/v3/")

    assert (context.repository, context.run_id, context.run_attempt) == ("example/shop", 123, 2)
    assert (context.workspace, context.output_path) == (tmp_path, tmp_path / "output")
    assert context.summary_path == tmp_path / "summary"
    assert context.api_url == "https://ghes.example/api/v3"
    assert context.run_url == "https://github.com/example/shop/actions/runs/123"


def test_a_merge_queue_names_its_commits_and_no_pull_request(environ: dict[str, str]) -> None:
    payload = {"merge_group": {"base_sha": BASE, "head_sha": HEAD}, "repository": HERE}
    context = read(environ, payload, GITHUB_EVENT_NAME="merge_group")

    assert (context.base_sha, context.head_sha, context.pull_request) == (BASE, HEAD, None)


@pytest.mark.parametrize(
    ("before", "after", "base", "head"),
    [
        (BASE, HEAD, BASE, HEAD),
        (ZEROS, HEAD, ZEROS, HEAD),
        ("0" * 64, "d" * 64, "0" * 64, "d" * 64),
        (BASE, ZEROS, None, MERGE),
    ],
)
def test_a_push_compares_with_what_was_there_before(
    environ: dict[str, str], before: str, after: str, base: str | None, head: str
) -> None:
    context = read(environ, {"before": before, "after": after}, GITHUB_EVENT_NAME="push")

    assert (context.base_sha, context.head_sha) == (base, head)


@pytest.mark.parametrize(
    ("before", "ref"), [(BASE, "refs/heads/topic"), (ZEROS, "refs/heads/new"), (ZEROS, "refs/tags/v1")]
)
def test_a_push_is_another_check_than_the_pull_request_of_the_same_commit(
    environ: dict[str, str], before: str, ref: str
) -> None:
    """It compares with less, or with nothing: its green status must not replace a red one of the gate."""
    context = read(environ, {"before": before, "after": HEAD, "ref": ref}, GITHUB_EVENT_NAME="push")
    assert context.check_name == "promptci (push)"
    assert read(environ, pull_request()).check_name == "promptci"


def test_a_push_with_a_base_of_its_own_is_named_by_that(environ: dict[str, str]) -> None:
    push = {"before": BASE, "after": HEAD}
    assert read(environ, push, GITHUB_EVENT_NAME="push", INPUT_BASE="v1").check_name == "promptci (base v1)"


def test_a_workspace_that_is_not_there_is_refused_in_words(environ: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="actions/checkout"):
        read(environ, pull_request(), GITHUB_WORKSPACE=str(tmp_path / "nowhere"))


@pytest.mark.parametrize("event", ["schedule", "workflow_dispatch", "repository_dispatch"])
def test_an_event_without_a_change_runs_on_the_commit_it_was_started_for(environ: dict[str, str], event: str) -> None:
    context = read(environ, {"schedule": "0 3 * * *"}, GITHUB_EVENT_NAME=event)

    assert (context.base_sha, context.head_sha, context.pull_request) == (None, MERGE, None)


@pytest.mark.parametrize("head", [FORK, None])
def test_a_fork_and_a_deleted_fork_are_forks(environ: dict[str, str], head: dict[str, str] | None) -> None:
    assert read(environ, pull_request(head)).is_fork


def test_dependabot_is_treated_like_a_fork(environ: dict[str, str]) -> None:
    assert read(environ, pull_request(), GITHUB_ACTOR="dependabot[bot]").is_fork


@pytest.mark.parametrize("head", [FORK, None])
@pytest.mark.parametrize("event", ["pull_request_target", "workflow_run"])
def test_secrets_are_not_handed_to_a_strangers_commits(
    environ: dict[str, str], event: str, head: dict[str, str] | None
) -> None:
    payload = pull_request(head) if event == "pull_request_target" else workflow_run(head)

    with pytest.raises(UnsafeError, match="allow-untrusted"):
        read(environ, payload, GITHUB_EVENT_NAME=event)


@pytest.mark.parametrize("event", ["pull_request_target", "workflow_run"])
def test_a_payload_that_does_not_say_whose_commits_they_are_is_refused(environ: dict[str, str], event: str) -> None:
    with pytest.raises(UnsafeError):
        read(environ, {}, GITHUB_EVENT_NAME=event)


@pytest.mark.parametrize("name", ["INPUT_ALLOW-UNTRUSTED", "INPUT_ALLOW_UNTRUSTED"])
def test_a_maintainer_may_allow_it(environ: dict[str, str], name: str) -> None:
    context = read(environ, workflow_run(FORK), **{"GITHUB_EVENT_NAME": "workflow_run", name: "true"})

    assert (context.head_sha, context.pull_request, context.is_fork) == (HEAD, 7, True)


@pytest.mark.parametrize("event", ["pull_request_target", "workflow_run"])
def test_commits_of_this_repository_are_not_refused(environ: dict[str, str], event: str) -> None:
    payload = pull_request() if event == "pull_request_target" else workflow_run()

    assert read(environ, payload, GITHUB_EVENT_NAME=event).head_sha == HEAD


def test_inputs_have_their_defaults(environ: dict[str, str]) -> None:
    context = read(environ, pull_request())

    assert context.inputs == {name: DEFAULTS.get(name, "") for name in INPUTS}
    assert context.is_enabled("status")
    assert not context.is_enabled("allow-untrusted")


def test_inputs_are_read_as_a_container_gets_them(environ: dict[str, str]) -> None:
    options = {"INPUT_GITHUB-TOKEN": "t1", "INPUT_API_KEY": "k1", "INPUT_STATUS": "False", "INPUT_CONFIG": " a.yml "}
    context = read(environ, pull_request(), **options)

    assert (context.inputs["github-token"], context.inputs["api-key"], context.inputs["config"]) == (
        "t1",
        "k1",
        "a.yml",
    )
    assert not context.is_enabled("status")


def test_a_switch_that_is_neither_true_nor_false_is_an_error(environ: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=r"comment is 'yes'.*sticky, new or off"):
        read(environ, pull_request(), INPUT_COMMENT="yes")


@pytest.mark.parametrize("content", [b'{"pull_request": {"nu', b"", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_broken_event_is_an_error_with_a_hint(environ: dict[str, str], content: bytes) -> None:
    Path(environ["GITHUB_EVENT_PATH"]).write_bytes(content)

    with pytest.raises(UsageError, match="run the job again") as caught:
        ActionContext.from_environ(environ)
    assert caught.value.exit_code == 2


def test_a_missing_event_is_an_error_with_a_hint(environ: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=r"No such file.*run the job again"):
        ActionContext.from_environ(environ)


@pytest.mark.parametrize("name", ["GITHUB_EVENT_NAME", "GITHUB_EVENT_PATH", "GITHUB_REPOSITORY"])
def test_a_laptop_is_told_which_command_to_use(environ: dict[str, str], name: str) -> None:
    with pytest.raises(UsageError, match="promptci check"):
        read({**environ, name: ""} if name != "GITHUB_EVENT_PATH" else environ, pull_request(), **{name: ""})


@pytest.mark.parametrize("sha", ["--upload-pack=x", "HEAD", "a" * 41, None, 7, "A" * 40])
def test_what_is_no_commit_never_reaches_git(environ: dict[str, str], sha: object) -> None:
    with pytest.raises(UsageError, match=r"event.pull_request.head.sha"):
        read(environ, pull_request(head={"sha": sha, "repo": HERE}))


@pytest.mark.parametrize("number", ["x", "-1", "1" * 30])
def test_a_run_number_that_is_none_is_an_error(environ: dict[str, str], number: str) -> None:
    with pytest.raises(UsageError, match="GITHUB_RUN_ID"):
        read(environ, pull_request(), GITHUB_RUN_ID=number)


@pytest.mark.parametrize("number", [True, "7", -1, 0, None, 7.5])
def test_a_pull_request_without_a_number_has_none(environ: dict[str, str], number: object) -> None:
    assert read(environ, pull_request(number=number)).pull_request is None


KEYS = ("pull_request", "workflow_run", "merge_group", "head", "base", "repo", "sha", "full_name", "number", "before")
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.sampled_from([HEAD, ZEROS])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)),
    max_leaves=20,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    json_values,
    st.sampled_from(["pull_request", "pull_request_target", "workflow_run", "merge_group", "push", "schedule"]),
)
def test_no_event_ends_in_a_traceback(environ: dict[str, str], payload: Any, event: str) -> None:
    with contextlib.suppress(PromptciError):
        assert len(read(environ, payload, GITHUB_EVENT_NAME=event).head_sha) in {40, 64}
