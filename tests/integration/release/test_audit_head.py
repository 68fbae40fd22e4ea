"""Releases and deployments name the last line of the audit log, where there is one, so that a cut log is found."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from fakes.repo import RepoBuilder
from support import released
from support.released import run

from promptci.registry import tags
from promptci.registry.audit_head import HISTORY_BRANCH
from promptci.registry.tag_message import parse_trailers

LINES = [json.dumps({"schema": "promptci/audit/v1", "n": number, "what": "checked"}).encode() for number in range(4)]


@pytest.fixture
def shop(tmp_path: Path) -> RepoBuilder:
    return released.shop(tmp_path)


def write_log(shop: RepoBuilder, files: dict[str, bytes], name: str = HISTORY_BRANCH) -> None:
    """Write the branch with an audit log, as another clone would."""
    writer = RepoBuilder(shop.path.parent / f"writer-{len(list(shop.path.parent.iterdir()))}")
    writer.write(files).commit("log")
    shop.git("fetch", "--quiet", "--force", str(writer.path), f"HEAD:refs/heads/{name}")


def head_of(shop: RepoBuilder) -> str | None:
    return parse_trailers(shop.git("log", "-1", "--format=%B")).get("Audit-head")


def test_a_release_a_deployment_and_a_rollback_carry_the_last_line(shop: RepoBuilder) -> None:
    months = {"audit/2026-02.jsonl": LINES[0] + b"\n" + LINES[1] + b"\n", "audit/2026-03.jsonl": LINES[2] + b"\n"}
    write_log(shop, {**months, "audit/notes.txt": b"x", "FORMAT": b"1\n"})
    expected = f"2 {sha256(LINES[2]).hexdigest()}"
    released.release(shop)
    assert tags.list_releases(shop.path)["order"][0].trailers["Audit-head"] == expected
    assert run(shop, "deploy", "order@v1.0.0", "--env", "production").code == 0
    assert head_of(shop) == expected
    released.release(shop, "Copy only the number.")
    assert run(shop, "rollback", "order", "--to", "v1.0.0").code == 0
    assert head_of(shop) == expected


def test_without_an_audit_log_there_is_no_trailer(shop: RepoBuilder) -> None:
    released.release(shop)
    assert "Audit-head" not in tags.list_releases(shop.path)["order"][0].trailers
    write_log(shop, {"FORMAT": b"1\n"})
    done = run(shop, "deploy", "order@v1.0.0", "--env", "production")
    assert (done.code, head_of(shop), "warning" in done.text) == (0, None, False)


@pytest.mark.parametrize("data", [b"{", b"", b"[1]", b'{"n": true}', b'{"n": -1}', b"[" * 100_000, b"\xff"])
def test_a_log_that_cannot_be_read_stops_nothing_and_is_said(shop: RepoBuilder, data: bytes) -> None:
    write_log(shop, {"audit/2026-03.jsonl": LINES[0] + b"\n" + data + b"\n" if data else b"\n"})
    done = run(shop, "release", "order", "--because", "x")
    assert done.code == 0
    assert "warning: refs/heads/promptci/history: the last line of audit/2026-03.jsonl is not a line" in done.text
    deployed = run(shop, "deploy", "order@v1.0.0", "--env", "production", "--json").value
    assert len(deployed["warnings"]) == 1
    assert head_of(shop) is None


def test_with_push_the_newest_log_of_the_remote_counts(shop: RepoBuilder) -> None:
    released.release(shop)
    released.with_remote(shop)
    write_log(shop, {"audit/2026-03.jsonl": LINES[3] + b"\n"}, "written")
    shop.git("push", "--quiet", "origin", f"written:refs/heads/{HISTORY_BRANCH}")
    shop.git("update-ref", "-d", f"refs/remotes/origin/{HISTORY_BRANCH}")
    assert run(shop, "deploy", "order@v1.0.0", "--env", "production", "--push").code == 0
    assert head_of(shop) == f"3 {sha256(LINES[3]).hexdigest()}"
