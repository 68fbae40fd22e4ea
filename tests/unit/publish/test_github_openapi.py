"""Every request of ours and every answer of the fake is one that GitHub's own description allows."""

import json
import re
from typing import Any

import jsonschema
import pytest
from fakes import github as fake
from fakes import tools
from fakes.jumping_clock import JumpingClock

from promptci.publish import check, check_run, comment
from promptci.publish.annotation import Annotation
from promptci.publish.comment import Marker
from promptci.publish.github import CheckRun, GitHubError
from promptci.publish.pygithub_client import PyGithubClient

SHA = "a" * 40


@pytest.fixture(scope="session")
def described() -> dict[str, dict[str, Any]]:
    """Give GitHub's operations by their path."""
    file = tools.node_modules() / "@octokit" / "openapi" / "generated" / "api.github.com.deref.json"
    paths: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["paths"]
    return {path: operations for path, operations in paths.items() if path == "/user" or path.startswith("/repos/")}


def every_errand(server: fake.GitHub, github: PyGithubClient) -> None:
    """Do everything that promptci does, and meet every refusal that the fake knows."""
    status = check.Status(state="failure", context="promptci", description="worse", target_url="https://github.com/x")
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
        comment.publish(
            github, 7, "worse", Marker(key="a", run=run, attempt=1, head=SHA), fallback_body="-", create=True
        )
    check.publish_status(github, SHA, status)
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
    check.publish_status(github, SHA, status)
    server.read_only, server.locked = False, True
    with pytest.raises(GitHubError):
        github.create_comment(7, "x")


def test_requests_and_answers_are_as_github_describes_them(
    described: dict[str, dict[str, Any]], server: fake.GitHub, github: PyGithubClient, time: JumpingClock
) -> None:
    every_errand(server, github)

    wrong = [f"{e.method} {e.path}: {fault}" for e in server.exchanges for fault in faults(described, e)]
    assert len(server.exchanges) > 15
    assert {e.method for e in server.exchanges} == {"GET", "POST", "PATCH", "DELETE"}
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_a_wrong_request_and_a_wrong_answer_would_be_noticed(
    described: dict[str, dict[str, Any]], server: fake.GitHub, github: PyGithubClient
) -> None:
    every_errand(server, github)
    (created, *_) = [
        e for e in server.exchanges if e.method == "POST" and e.reply.status == 201 and e.path.endswith("comments")
    ]
    incomplete = {name: value for name, value in created.reply.body.items() if name != "user"}

    planted = [
        exchange(created, path="/repos/example/shop/issues/seven/comments"),
        exchange(created, path="/repos/example/shop/remarks"),
        exchange(created, query={"per-page": "100"}),
        exchange(created, body={"text": "hello"}),
        exchange(created, body=None),
        exchange(created, reply=fake.Reply(status=201, body=incomplete | {"author_association": 3})),
        exchange(created, reply=fake.Reply(status=201, body=created.reply.body | {"invented": 1})),
        exchange(created, reply=fake.Reply(status=200, body=created.reply.body)),
    ]
    assert list(faults(described, created)) == []
    assert all(list(faults(described, wrong)) for wrong in planted)


def exchange(given: fake.Exchange, **changes: Any) -> fake.Exchange:
    fields = {name: getattr(given, name) for name in ("method", "path", "query", "headers", "body", "reply")}
    return fake.Exchange(**{**fields, **changes})


def faults(described: dict[str, dict[str, Any]], e: fake.Exchange) -> list[str]:
    """Give what GitHub's description does not allow in this exchange."""
    longest_first = sorted(described, key=len, reverse=True)  # `/commits/{ref}` takes slashes, so it fits too much
    operation = next((own for path in longest_first if (own := match(path, described[path], e))), None)
    if operation is None:
        return ["no such operation"]
    queries = {each["name"] for each in operation["parameters"] if each["in"] == "query"}
    found = [f"no query {name}" for name in e.query if name not in queries]
    wanted = operation.get("requestBody")
    if wanted:
        found += mismatches(wanted["content"]["application/json"]["schema"], e.body)
    elif e.body is not None:
        found.append("a body where none is described")
    return found + answer_faults(operation, e.reply)


def answer_faults(operation: dict[str, Any], reply: fake.Reply) -> list[str]:
    """Give what is wrong with an answer; refusals that are not listed have the shape of those that are."""
    responses = operation["responses"]
    if str(reply.status) not in responses:
        if reply.status < fake.REFUSED:
            return [f"{reply.status} is no answer of this operation"]
        body = reply.body
        return [] if isinstance(body, dict) and isinstance(body.get("message"), str) else ["a refusal without words"]
    content = responses[str(reply.status)].get("content")
    if content is None:
        return [] if reply.body is None else ["a body where none is described"]
    schema = content["application/json"]["schema"]
    items = reply.body if schema.get("type") == "array" else [reply.body]
    known = set((schema.get("items") or schema).get("properties", {}))
    invented = {name for item in items for name in item if known and name not in known}
    return mismatches(schema, reply.body) + [f"{name} is not described" for name in sorted(invented)]


def match(path: str, operations: dict[str, Any], e: fake.Exchange) -> dict[str, Any] | None:
    """Give the operation where path and method are its own, numbers where numbers are described."""
    operation: dict[str, Any] | None = operations.get(e.method.lower())
    if operation is None:
        return None
    kinds = {each["name"]: each["schema"].get("type") for each in operation["parameters"] if each["in"] == "path"}
    deep = {each["name"] for each in operation["parameters"] if each.get("x-multi-segment")}

    def part(m: re.Match[str]) -> str:
        return r"\d+" if kinds.get(m[1]) == "integer" else ".+" if m[1] in deep else "[^/]+"

    pattern = re.sub(r"\\\{(\w+)\\\}", part, re.escape(path))
    return operation if re.fullmatch(pattern, e.path) else None


def mismatches(schema: dict[str, Any], value: Any) -> list[str]:
    validator = jsonschema.Draft202012Validator(as_json_schema(schema))
    return [f"{error.json_path}: {error.message}"[:200] for error in validator.iter_errors(value)]


def as_json_schema(part: Any) -> Any:
    """Spell OpenAPI 3.0's `nullable` as JSON Schema does."""
    if isinstance(part, list):
        return [as_json_schema(each) for each in part]
    if not isinstance(part, dict):
        return part
    plain = {name: as_json_schema(value) for name, value in part.items() if name not in {"nullable", "example"}}
    return {"anyOf": [plain, {"type": "null"}]} if part.get("nullable") is True else plain
