"""GitHub's own examples of every event's payload are understood: commits, pull request, whose they are."""

import json
from pathlib import Path
from typing import Any

import pytest
from fakes import tools

from promptci.errors import UnsafeError
from promptci.publish.runner.context import ActionContext

MERGE = "c" * 40


@pytest.fixture(scope="session")
def examples() -> dict[str, list[dict[str, Any]]]:
    """Return GitHub's examples by the event's name, of github.com and of its enterprise server."""
    root = tools.node_modules() / "@octokit" / "webhooks-examples"
    result: dict[str, list[dict[str, Any]]] = {}
    for index in sorted(root.glob("*/index.json")):
        for event in json.loads(index.read_text(encoding="utf-8")):
            result.setdefault(event["name"], []).extend(event["examples"])
    return result


def read(folder: Path, event: str, payload: dict[str, Any], **options: str) -> ActionContext:
    (folder / "event.json").write_text(json.dumps(payload))
    environ = {
        "GITHUB_EVENT_NAME": event,
        "GITHUB_EVENT_PATH": str(folder / "event.json"),
        "GITHUB_REPOSITORY": payload["repository"]["full_name"],
        "GITHUB_SHA": MERGE,
    }
    return ActionContext.from_environ({**environ, **options})


def test_pull_requests(examples: dict[str, list[dict[str, Any]]], tmp_path: Path) -> None:
    assert len(examples["pull_request"]) > 25
    for payload in examples["pull_request"]:
        pull = payload["pull_request"]
        context = read(tmp_path, "pull_request", payload)
        same = (pull["head"]["repo"] or {}).get("full_name") == pull["base"]["repo"]["full_name"]

        assert (context.base_sha, context.head_sha) == (pull["base"]["sha"], pull["head"]["sha"])
        assert (context.pull_request, context.is_fork) == (pull["number"], not same)
        assert (context.branch("base"), context.branch("head")) == (pull["base"]["ref"], pull["head"]["ref"])
    assert None in [payload["pull_request"]["body"] for payload in examples["pull_request"]]


def test_a_pull_request_of_a_deleted_fork(examples: dict[str, list[dict[str, Any]]], tmp_path: Path) -> None:
    for payload in examples["pull_request"]:
        pull = payload["pull_request"]
        gone = {**payload, "pull_request": {**pull, "head": {**pull["head"], "repo": None}}}

        assert read(tmp_path, "pull_request", gone).is_fork
        with pytest.raises(UnsafeError):
            read(tmp_path, "pull_request_target", gone)


def test_labels(examples: dict[str, list[dict[str, Any]]], tmp_path: Path) -> None:
    """Of all that can happen to a fork's pull request, only the putting on of this label approves."""
    approved = set()
    for payload in examples["pull_request"]:
        pull = payload["pull_request"]
        fork = {**payload, "pull_request": {**pull, "head": {**pull["head"], "repo": None}}}
        label = payload.get("label", {}).get("name", "bug")
        try:
            context = read(tmp_path, "pull_request_target", fork, INPUT_APPROVAL_LABEL=label)
        except UnsafeError:
            continue
        assert context.is_approved
        approved.add(payload["action"])
    assert approved == {"labeled"}


def test_merge_queues(examples: dict[str, list[dict[str, Any]]], tmp_path: Path) -> None:
    asked = [payload for payload in examples["merge_group"] if payload["action"] == "checks_requested"]
    assert asked
    for payload in asked:
        group = payload["merge_group"]
        context = read(tmp_path, "merge_group", payload)

        assert (context.base_sha, context.head_sha) == (group["base_sha"], group["head_sha"])
        assert (context.pull_request, context.is_fork, context.is_change) == (None, False, True)


def test_pushes(examples: dict[str, list[dict[str, Any]]], tmp_path: Path) -> None:
    kinds = set()
    for payload in examples["push"]:
        context = read(tmp_path, "push", payload)
        kinds.add((payload["created"], payload["deleted"]))
        if payload["deleted"]:
            assert (context.base_sha, context.head_sha) == (None, MERGE)
        else:
            assert (context.base_sha, context.head_sha) == (payload["before"], payload["after"])
            assert context.base_sha is not None
            assert payload["created"] == (not context.base_sha.strip("0"))
        assert context.pull_request is None
    assert len(kinds) > 1


def test_ends_of_workflows(examples: dict[str, list[dict[str, Any]]], tmp_path: Path) -> None:
    assert examples["workflow_run"]
    for payload in examples["workflow_run"]:
        run = payload["workflow_run"]
        same = run["head_repository"]["full_name"] == payload["repository"]["full_name"]
        context = read(tmp_path, "workflow_run", payload, INPUT_FROM="report")

        assert (context.head_sha, context.is_fork) == (run["head_sha"], not same)


@pytest.mark.parametrize("event", ["workflow_dispatch", "repository_dispatch"])
def test_runs_by_hand(examples: dict[str, list[dict[str, Any]]], tmp_path: Path, event: str) -> None:
    assert examples[event]
    for payload in examples[event]:
        context = read(tmp_path, event, payload)

        assert (context.base_sha, context.head_sha, context.is_change) == (None, MERGE, False)
