"""Every request of ours and every answer of the fake is one that GitHub's own description allows."""

from typing import Any

import pytest
from fakes import github as fake
from fakes.openapi import faults

from promptci.publish import check_run, comment, commit_status
from promptci.publish.annotation import Annotation
from promptci.publish.comment import Marker
from promptci.publish.github.api import CheckRun, GitHubError
from promptci.publish.github.pygithub_client import PyGithubClient

SHA = "a" * 40


def publish_everything(server: fake.GitHub, github: PyGithubClient) -> None:
    """Do everything that promptci does, and meet every refusal that the fake knows."""
    status = commit_status.CommitStatus(
        state="failure", context="promptci", description="worse", target_url="https://github.com/x"
    )
    run_of = CheckRun(
        sha=SHA,
        name="promptci (b/c.yml)",
        conclusion="failure",
        title="worse",
        summary="much worse",
        external_id="1-1",
        details_url="https://github.com/x",
    )
    remarks = [Annotation(path="a.yml", line=n, level="error", title="t", message="m") for n in range(1, 138)]
    server.faults = [("POST", fake.no(502, "Bad gateway"))]
    assert check_run.publish_check_run(github, run_of, remarks) is None
    server.faults = [("PATCH", fake.no(502, "Bad gateway"))]
    assert check_run.publish_check_run(github, run_of, remarks) is None
    server.branches, server.pulls = (
        {"release/1.x": SHA},
        [{"number": 7, "sha": SHA, "owner": "mallory", "branch": "t/a"}],
    )
    assert (github.branch_sha("release/1.x"), github.pull(7).head_sha) == (SHA, SHA)
    assert [pull.number for pull in github.pulls_from("mallory", "t/a")] == [7]
    for run in (1, 2):
        for number in range(120):
            server.add_comment(f"remark {number}")
        comment.publish_sticky(
            github, 7, "worse", Marker(key="a", run=run, attempt=1, head=SHA), fallback_body="-", create=True
        )
    commit_status.publish_status(github, SHA, status)
    github.delete_comment(github.create_comment(7, "x").id)
    server.login, server.may_ask_user = "maintainer", True
    github.viewer_login()
    for refusal in (
        lambda: github.create_comment(7, "x" * 70_000),
        lambda: github.update_comment(1, "x"),
        lambda: github.delete_comment(1),
        lambda: github.set_status(SHA, "error", "promptci", "x" * 200, ""),
        lambda: github.pull(8),
        lambda: github.branch_sha("gone"),
    ):
        with pytest.raises(GitHubError):
            refusal()
    server.read_only = True
    commit_status.publish_status(github, SHA, status)
    server.read_only, server.locked = False, True
    with pytest.raises(GitHubError):
        github.create_comment(7, "x")


def test_requests_and_answers_are_as_github_describes_them(server: fake.GitHub, github: PyGithubClient) -> None:
    publish_everything(server, github)

    wrong = [f"{e.method} {e.path}: {fault}" for e in server.exchanges for fault in faults(e)]
    assert len(server.exchanges) > 15
    assert {e.method for e in server.exchanges} == {"GET", "POST", "PATCH", "DELETE"}
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_a_wrong_request_and_a_wrong_answer_would_be_noticed(server: fake.GitHub, github: PyGithubClient) -> None:
    publish_everything(server, github)
    (creation, *_) = [
        e for e in server.exchanges if e.method == "POST" and e.reply.status == 201 and e.path.endswith("comments")
    ]
    incomplete = {name: value for name, value in creation.reply.body.items() if name != "user"}

    planted = [
        exchange(creation, path="/repos/example/shop/issues/seven/comments"),
        exchange(creation, path="/repos/example/shop/remarks"),
        exchange(creation, query={"per-page": "100"}),
        exchange(creation, body={"text": "hello"}),
        exchange(creation, body=None),
        exchange(creation, reply=fake.Reply(status=201, body=incomplete | {"author_association": 3})),
        exchange(creation, reply=fake.Reply(status=201, body=creation.reply.body | {"invented": 1})),
        exchange(creation, reply=fake.Reply(status=200, body=creation.reply.body)),
    ]
    assert list(faults(creation)) == []
    assert all(list(faults(wrong)) for wrong in planted)


def exchange(original: fake.Exchange, **changes: Any) -> fake.Exchange:
    fields = {name: getattr(original, name) for name in ("method", "path", "query", "headers", "body", "reply")}
    return fake.Exchange(**{**fields, **changes})
