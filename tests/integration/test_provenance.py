"""What a report says of where it comes from: who set it off, in which run, when, and what was measured before."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fakes import github as fake
from fakes import openapi
from fakes.openai_server import OpenAIServer
from support.action_runner import Run
from support.repositories import BAD, GOLDENS, GOOD, PROMPT, goldens, make_environment, prompt, serving, shop

from promptci.app.requests import CheckRequest
from promptci.evaluation import check
from promptci.report.model.report import ReportView

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FILES = {PROMPT: prompt(GOOD), GOLDENS: goldens(30)}


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with serving() as running:
        yield running


@pytest.fixture
def github() -> Iterator[fake.GitHub]:
    with fake.GitHub() as server, openapi.watched(server):
        yield server


def test_the_actor_and_the_run_are_the_runners(tmp_path: Path, server: OpenAIServer, github: fake.GitHub) -> None:
    run = Run(tmp_path, shop(tmp_path, FILES, server), github)
    run.builder.write({PROMPT: prompt(BAD)}).commit()
    run(GITHUB_ACTOR="octo-ann")
    assert run.report["actor"] == "octo-ann"
    assert run.report["run_url"] == f"https://github.com/{fake.REPOSITORY}/actions/runs/10"
    assert run.report["started_at"] <= run.report["generated_at"]


def test_a_run_at_a_terminal_names_nobody(tmp_path: Path, server: OpenAIServer) -> None:
    builder = shop(tmp_path, FILES, server)
    builder.write({PROMPT: prompt(BAD)}).commit()
    minutes = iter(range(1000))
    environment = replace(make_environment()[0], now=lambda: START + timedelta(minutes=next(minutes)))
    result = check.check(CheckRequest(root=builder.path, out=tmp_path / "out"), environment).view
    assert result is not None
    assert (result.actor, result.run_url, result.started_at) == (None, None, "2026-01-02T03:04:05Z")
    assert result.generated_at is not None
    assert result.generated_at > "2026-01-02T03:04:05Z"


def test_the_page_bears_the_digest_of_the_report_beside_it(tmp_path: Path, server: OpenAIServer) -> None:
    builder = shop(tmp_path, FILES, server)
    builder.write({PROMPT: prompt(BAD)}).commit()
    check.check(CheckRequest(root=builder.path, out=tmp_path / "out"), make_environment()[0])
    digest = hashlib.sha256((tmp_path / "out" / "report.json").read_bytes()).hexdigest()
    assert digest in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert digest not in (tmp_path / "out" / "report.json").read_text(encoding="utf-8")


def test_the_versions_tested_before_are_remembered_with_their_quality(tmp_path: Path, server: OpenAIServer) -> None:
    builder = shop(tmp_path, FILES, server)
    views: list[ReportView] = []
    for day, text in enumerate((BAD, "Copy the order number, nothing else.")):
        builder.write({PROMPT: prompt(text)}).commit()
        environment = replace(make_environment()[0], now=lambda day=day: START + timedelta(days=day))  # type: ignore[misc]  # bound now
        result = check.check(CheckRequest(root=builder.path, base="main", out=tmp_path / f"out{day}"), environment).view
        assert result is not None
        views.append(result)
    assert views[0].prompts[0].earlier_versions == []
    (past,) = views[1].prompts[0].earlier_versions
    assert views[0].prompts[0].quality is not None
    assert (past.quality, past.verdict) == (views[0].prompts[0].quality.head, "fail")
    assert past.commit == views[0].head.sha
