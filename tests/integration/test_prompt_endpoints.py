"""Endpoints of single prompts: who is asked, with which key, and that a pull request does not choose it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fakes.openai_server import OpenAIServer, reply
from fakes.repo import RepoBuilder
from support.cli_runs import CommandResult, call_promptci, run_command
from support.repositories import BAD, GOLDENS, GOOD, PROMPT, config, goldens, prompt, serving

from promptci.report.model.report import ReportView

LEGAL, LEGAL_GOLDENS = "prompts/legal.prompt.yml", "goldens/legal.jsonl"
COUNT = 12
CALLS = 2 * COUNT
KEYS = {"OPENAI_API_KEY": "common-key-1234", "EU_KEY": "european-key-5678", "TENANT_TOKEN": "tenant-secret-99"}
BOTH = {PROMPT: prompt(GOOD), GOLDENS: goldens(COUNT), LEGAL: prompt(GOOD), LEGAL_GOLDENS: goldens(COUNT)}
EDITED = {PROMPT: prompt(f"{GOOD} Now."), LEGAL: prompt(f"{GOOD} Now.")}
NO_CACHE = {"cache": None, "memory": None}


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


class Endpoints(NamedTuple):
    common: OpenAIServer
    own: OpenAIServer

    @property
    def keys(self) -> list[set[str | None]]:
        """The keys that each server got."""
        return [{call.headers.get("authorization") for call in server.calls} for server in self]


@pytest.fixture
def servers() -> Iterator[Endpoints]:
    with serving() as common, serving() as own:
        yield Endpoints(common, own)


def override(server: OpenAIServer, **provider: Any) -> list[dict[str, Any]]:
    endpoint = {"base_url": server.base_url, "api_key_env": "EU_KEY"}
    return [{"prompts": "legal", "provider": {**endpoint, **provider}}]


class Check(NamedTuple):
    result: CommandResult
    view: ReportView
    builder: RepoBuilder


def check(
    folder: Path, servers: Endpoints, base: dict[str, str], head: dict[str, str], *arguments: str, **sections: Any
) -> Check:
    builder = RepoBuilder(folder / "shop")
    sections = {"run": NO_CACHE, "gate": {"max_drop": 0.5}, **sections}
    builder.write({"promptci.yml": config(servers.common, **sections), **base}).commit("base")
    builder.branch("pr").write(head).commit("head")
    result = run_command(builder.path, ["check", "--base", "main", *arguments], folder / "out")
    report = folder / "out" / "report.json"
    view = ReportView.parse(report.read_bytes(), "report.json") if report.exists() else None
    return Check(result, view, builder)  # type: ignore[arg-type]


def test_each_prompt_is_asked_at_its_endpoint_with_its_key_alone(tmp_path: Path, servers: Endpoints) -> None:
    _, view, _ = check(tmp_path, servers, BOTH, EDITED, overrides=override(servers.own))
    assert [len(server.calls) for server in servers] == [CALLS, CALLS]
    assert servers.keys == [{f"Bearer {KEYS['OPENAI_API_KEY']}"}, {f"Bearer {KEYS['EU_KEY']}"}]
    assert [view.provider, {p.verdict for p in view.prompts}] == ["127.0.0.1", {"pass"}]
    legal = next(p for p in view.prompts if p.name == "legal")
    assert f"legal: `provider: {servers.own.base_url}`, from `overrides[0]`." in legal.notes


def test_the_plan_names_the_endpoints_and_how_many_calls_each_gets(tmp_path: Path, servers: Endpoints) -> None:
    prices = {"prices": {"fake-1": {"input_usd": 1, "output_usd": 2}}}
    result, *_ = check(tmp_path, servers, BOTH, EDITED, "--dry-run", overrides=override(servers.own, **prices))
    assert f"asked at {servers.own.base_url}" in result.text
    common, own = (f"{CALLS} to {server.base_url}, " for server in servers)
    assert f"{common}price unknown" in result.text
    assert f"{own}at most $0.0" in result.text


def test_cached_answers_are_kept_apart_and_used_again(tmp_path: Path, servers: Endpoints) -> None:
    run = {"cache": ".promptci/cache", "memory": None}
    sections = {"run": run, "overrides": override(servers.own)}
    builder = RepoBuilder(tmp_path / "shop").write({"promptci.yml": config(servers.common, **sections), **BOTH})
    builder.commit("base")
    builder.branch("pr").write(EDITED).commit("head")
    for _ in range(2):
        done = call_promptci(["check", "--base", "main", "--head", "HEAD"], builder.path, os.environ)
    assert (done.returncode, [len(server.calls) for server in servers]) == (0, [CALLS, CALLS])


def test_a_refused_key_stops_its_own_endpoint_only(tmp_path: Path, servers: Endpoints) -> None:
    with serving(lambda _: reply({"error": {"message": "Incorrect API key"}}, status=401)) as server:
        both = Endpoints(servers.common, server)
        result, view, _ = check(tmp_path, both, BOTH, EDITED, overrides=override(server))
    verdicts = {p.name: p.verdict for p in view.prompts}
    assert (result.verdict, verdicts) == ("error", {"order": "pass", "legal": "error"})


def test_an_endpoint_without_its_key_is_an_error_that_names_the_variable(tmp_path: Path, servers: Endpoints) -> None:
    own = [{"prompts": "legal", "provider": {"base_url": "https://eu.example/v1", "api_key_env": "NO_SUCH_KEY"}}]
    result, *_ = check(tmp_path, servers, BOTH, EDITED, overrides=own)
    assert result.verdict == "error"
    assert "`NO_SUCH_KEY` is not set" in result.text
    assert [len(server.calls) for server in servers] == [0, 0]


def test_the_common_endpoint_needs_no_key_where_nothing_is_asked_there(tmp_path: Path, servers: Endpoints) -> None:
    provider = {"base_url": "https://unused.example/v1", "api_key_env": "NO_SUCH_KEY"}
    legal = {LEGAL: BOTH[LEGAL], LEGAL_GOLDENS: BOTH[LEGAL_GOLDENS]}
    edited = {LEGAL: EDITED[LEGAL]}
    result, *_ = check(tmp_path, servers, legal, edited, provider=provider, overrides=override(servers.own))
    assert (result.verdict, len(servers.own.calls)) == ("pass", CALLS)


@pytest.mark.parametrize("place", ["overrides", "section"])
def test_a_pull_request_does_not_choose_who_is_asked(tmp_path: Path, servers: Endpoints, place: str) -> None:
    own = override(servers.own)
    described = [{**own[0], "prompts": "nothing-yet"}] if place == "section" else []
    moved = (
        {"promptci.yml": config(servers.common, run=NO_CACHE, overrides=own)}
        if place == "overrides"
        else {LEGAL: prompt(GOOD, extra=f"promptci: {{provider: {{base_url: '{servers.own.base_url}'}}}}\n")}
    )
    result, *_ = check(tmp_path, servers, BOTH, moved, overrides=described)
    assert (servers.own.calls, result.verdict) == ([], "inconclusive")
    assert "provider-not-tested" in result.rules


def test_a_prompt_file_names_an_endpoint_of_the_base_configuration(tmp_path: Path, servers: Endpoints) -> None:
    named = f"promptci: {{provider: {{base_url: '{servers.own.base_url}'}}}}\n"
    base = {**BOTH, LEGAL: prompt(GOOD, extra=named)}
    described = [{**override(servers.own)[0], "prompts": "nothing-yet"}]
    result, *_ = check(tmp_path, servers, base, {LEGAL: prompt(BAD, extra=named)}, overrides=described)
    assert (len(servers.common.calls), result.verdict) == (0, "fail")
    assert servers.keys[1] == {f"Bearer {KEYS['EU_KEY']}"}


def test_a_prompt_file_cannot_bring_an_endpoint_of_its_own(tmp_path: Path, servers: Endpoints) -> None:
    named = f"promptci: {{provider: {{base_url: '{servers.own.base_url}'}}}}\n"
    base = {**BOTH, LEGAL: prompt(GOOD, extra=named)}
    result, *_ = check(tmp_path, servers, base, {LEGAL: prompt(BAD, extra=named)})
    assert servers.own.calls == []
    assert "promptci.yml describes no such endpoint" in result.text
    key = "promptci: {provider: {api_key_env: EU_KEY}}\n"
    result, *_ = check(tmp_path / "key", servers, {**BOTH, LEGAL: prompt(GOOD, extra=key)}, {LEGAL: prompt(BAD)})
    assert "unknown key `provider.api_key_env`" in result.text


def test_a_prompt_that_is_moved_away_from_its_pattern_keeps_its_endpoint(tmp_path: Path, servers: Endpoints) -> None:
    own = [{**override(servers.own)[0], "prompts": "prompts/legal.prompt.yml"}]
    builder = RepoBuilder(tmp_path / "shop")
    builder.write({"promptci.yml": config(servers.common, run=NO_CACHE, overrides=own), **BOTH}).commit("base")
    builder.branch("pr").remove(LEGAL).write({"elsewhere/legal.prompt.yml": EDITED[LEGAL]}).commit("head")
    run_command(builder.path, ["check", "--base", "main"], tmp_path / "out")
    assert [len(server.calls) for server in servers] == [0, CALLS]


@pytest.mark.parametrize(
    ("provider", "named"),
    [
        ({"base_url": "https://evil.example/v1", "api_key_env": "EU_KEY"}, "https://evil.example/v1"),
        ({"api_key_env": "EU_KEY"}, "`provider.api_key_env` is EU_KEY"),
    ],
)
def test_an_unmerged_configuration_sends_no_key_anywhere(
    tmp_path: Path, servers: Endpoints, provider: dict[str, str], named: str
) -> None:
    builder = RepoBuilder(tmp_path / "shop").write(BOTH)
    builder.commit("base")
    own = json.dumps({"version": 1, "overrides": [{"prompts": "legal", "provider": provider}]})
    builder.branch("pr").write({"promptci.yml": own, **EDITED}).commit("head")
    result = run_command(builder.path, ["check", "--base", "main"], tmp_path / "out")
    assert named in result.text
    assert result.verdict == "error"


def test_an_endpoint_apart_gets_neither_key_nor_headers_of_the_common_one(tmp_path: Path, servers: Endpoints) -> None:
    headers = {"X-Tenant": "${TENANT_TOKEN}"}
    provider = {"base_url": servers.common.base_url, "headers": headers}
    builder = RepoBuilder(tmp_path / "shop")
    own = [{"prompts": "legal", "provider": {"base_url": servers.own.base_url}}]
    builder.write({"promptci.yml": config(run=NO_CACHE, provider=provider, overrides=own), **BOTH}).commit("base")
    builder.branch("pr").write(EDITED).commit("head")
    run_command(builder.path, ["check", "--base", "main"], tmp_path / "out")
    assert servers.keys[1] == {None}
    assert "tenant-secret-99" not in json.dumps([dict(call.headers) for call in servers.own.calls])
    assert "tenant-secret-99" in json.dumps([dict(call.headers) for call in servers.common.calls])
