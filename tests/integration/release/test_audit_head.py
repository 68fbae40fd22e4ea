"""Releases and deployments name the last line of the audit log, where there is one, so that a cut log is found."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes.repo import RepoBuilder
from support import released
from support.daily import first_daily
from support.released import run

from promptci.audit import log
from promptci.audit.entry import Actor
from promptci.git.data_branch import HISTORY_BRANCH, DataBranch
from promptci.registry import tags
from promptci.registry.tag_message import parse_trailers

ANN = Actor(kind="person", actor="ann")


@pytest.fixture
def shop(tmp_path: Path) -> RepoBuilder:
    return released.shop(tmp_path)


def append(shop: RepoBuilder, month: int = 3, remote: str | None = None) -> str:
    """Add an entry to the audit log, and return what a trailer then says."""
    branch = DataBranch(root=shop.path, remote=remote)
    now = datetime(2026, month, 1, tzinfo=UTC)
    return str(log.append_entries(branch, lambda _: [{"what": "checked"}], now=now, by=ANN))


def trailer(shop: RepoBuilder) -> str | None:
    return parse_trailers(shop.git("log", "-1", "--format=%B")).get("Audit-head")


def test_a_release_a_deployment_and_a_rollback_carry_the_last_line(shop: RepoBuilder) -> None:
    append(shop, 2)
    expected = append(shop, 3)
    assert expected.startswith("3 ")
    released.release(shop)
    assert tags.list_releases(shop.path)["order"][0].trailers["Audit-head"] == expected
    assert run(shop, "deploy", "order@v1.0.0", "--env", "production").code == 0
    assert trailer(shop) == expected
    released.release(shop, "Copy only the number.")
    assert run(shop, "deploy", "order@v1.1.0", "--env", "production").code == 0
    assert run(shop, "rollback", "order", "--to", "v1.0.0").code == 0
    assert trailer(shop) == expected
    append(shop)
    verified = run(shop, "audit", "verify", "--json").value
    assert (verified["fault"], verified["anchors"]) == (None, 5)


def test_without_an_audit_log_there_is_no_trailer(shop: RepoBuilder) -> None:
    released.release(shop)
    assert "Audit-head" not in tags.list_releases(shop.path)["order"][0].trailers
    shop.git("branch", HISTORY_BRANCH)
    done = run(shop, "deploy", "order@v1.0.0", "--env", "production")
    assert (done.code, trailer(shop), "audit" in done.text) == (0, None, False)


@pytest.mark.parametrize("line", first_daily(["{", "[1]", '{"n": 2}', "[" * 100_000], 2))
def test_a_log_that_cannot_be_read_stops_nothing_and_is_said(shop: RepoBuilder, line: str) -> None:
    writer = RepoBuilder(shop.path.parent / "writer").write({"audit/2026-03.jsonl": f"{line}\n"})
    writer.commit()
    shop.git("fetch", "--quiet", str(writer.path), f"HEAD:refs/heads/{HISTORY_BRANCH}")
    done = run(shop, "release", "order", "--because", "x")
    assert (done.code, "warning: no Audit-head is written, because the audit log" in done.text) == (0, True), done.text
    deployed = run(shop, "deploy", "order@v1.0.0", "--env", "production", "--json").value
    assert ([warning for warning in deployed["warnings"] if "audit" in warning] != [], trailer(shop)) == (True, None)


def test_with_push_the_newest_log_of_the_remote_counts(shop: RepoBuilder) -> None:
    released.release(shop)
    (clone,) = released.with_remote(shop, "clone")
    expected = append(clone, remote="origin")
    assert run(shop, "deploy", "order@v1.0.0", "--env", "production", "--push").code == 0
    assert trailer(shop) == expected


def test_a_log_that_was_rewritten_at_the_remote_is_said_and_the_rollback_goes_on(shop: RepoBuilder) -> None:
    released.release(shop)
    (clone,) = released.with_remote(shop, "clone")
    append(clone, remote="origin")
    assert run(shop, "deploy", "order@v1.0.0", "--env", "production", "--push").code == 0
    released.release(shop, "Copy only the number.")
    shop.git("push", "--quiet", "origin", "main")
    clone.git("push", "--quiet", "--force", "origin", f"main:refs/heads/{HISTORY_BRANCH}")
    done = run(shop, "rollback", "order", "--to", "v1.0.0", "--push")
    assert (done.code, "was rewritten at origin" in done.text) == (0, True), done.text
