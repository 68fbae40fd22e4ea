"""GitHub's own description of its API, and whether requests and answers keep to it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import jsonschema
from fakes import github as fake
from fakes import tools


@cache
def described() -> dict[str, dict[str, Any]]:
    """Return GitHub's operations by their path; the test is skipped where npm is not there."""
    file = tools.node_modules() / "@octokit" / "openapi" / "generated" / "api.github.com.deref.json"
    paths: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["paths"]
    return {
        path: operations
        for path, operations in paths.items()
        if path == "/user" or path.startswith(("/repos/", "/orgs/"))
    }


@contextmanager
def watched(server: fake.GitHub) -> Iterator[None]:
    """Hold every request, and every answer that no test planted, against the description, where npm is there."""
    yield
    assert server.unknown == [], f"GitHub has no such route: {server.unknown}"
    if tools.is_there("@octokit/openapi"):
        wrong = {f"{e.method} {e.path}: {fault}" for e in server.exchanges for fault in faults(e)}
        assert not wrong, "\n".join(sorted(wrong))


def faults(e: fake.Exchange) -> list[str]:
    """Return what GitHub's description does not allow in this exchange."""
    operation = next((own for pattern, own in operations(e.method.lower()) if pattern.fullmatch(e.path)), None)
    if operation is None:
        return ["no such operation"]
    queries = {each["name"] for each in operation["parameters"] if each["in"] == "query"}
    wrong = [f"no query {name}" for name in e.query if name not in queries]
    expected = operation.get("requestBody")
    if expected:
        wrong += mismatches(expected["content"]["application/json"]["schema"], e.body)
    elif e.body is not None:
        wrong.append("a body where none is described")
    return wrong + ([] if e.planted else answer_faults(operation, e.reply))


def answer_faults(operation: dict[str, Any], reply: fake.Reply) -> list[str]:
    """Return what is wrong with an answer; refusals that are not listed have the shape of those that are."""
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


@cache
def operations(method: str) -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """Return a method's operations with their paths; the longest first, because `/commits/{ref}` takes slashes."""
    paths = described()
    return [
        (path_pattern(path, paths[path][method]), paths[path][method])
        for path in sorted(paths, key=len, reverse=True)
        if method in paths[path]
    ]


def path_pattern(path: str, operation: dict[str, Any]) -> re.Pattern[str]:
    """Return what a path matches: numbers where numbers are described."""
    kinds = {each["name"]: each["schema"].get("type") for each in operation["parameters"] if each["in"] == "path"}
    deep = {each["name"] for each in operation["parameters"] if each.get("x-multi-segment")}

    def part(m: re.Match[str]) -> str:
        return r"\d+" if kinds.get(m[1]) == "integer" else ".+" if m[1] in deep else "[^/]+"

    return re.compile(re.sub(r"\\\{(\w+)\\\}", part, re.escape(path)))


_VALIDATORS: dict[int, jsonschema.Draft202012Validator] = {}
"""By the identity of the described schema, which lives as long as this module."""


def mismatches(schema: dict[str, Any], value: Any) -> list[str]:
    if id(schema) not in _VALIDATORS:
        _VALIDATORS[id(schema)] = jsonschema.Draft202012Validator(as_json_schema(schema))
    return [f"{error.json_path}: {error.message}"[:200] for error in _VALIDATORS[id(schema)].iter_errors(value)]


def as_json_schema(part: Any) -> Any:
    """Spell OpenAPI 3.0's `nullable` as JSON Schema does."""
    if isinstance(part, list):
        return [as_json_schema(each) for each in part]
    if not isinstance(part, dict):
        return part
    plain = {name: as_json_schema(value) for name, value in part.items() if name not in {"nullable", "example"}}
    return {"anyOf": [plain, {"type": "null"}]} if part.get("nullable") is True else plain
