"""`promptci site` on real repositories: what it collects, its links, and its exit codes."""

import json
import re
from pathlib import Path

import pytest
from fakes.repo import RepoBuilder
from support import released
from support.site_records import nights

from promptci.git.data_branch import find_branch


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> RepoBuilder:
    """A shop with two releases, the second deployed as a canary, three nights, and an audit log."""
    builder = released.shop(tmp_path_factory.mktemp("site"))
    builder.write({"goldens/order.jsonl": '{"vars": {"input": "a"}, "expected": "b"}\n'}).commit("goldens")
    first = released.release(builder)
    assert released.run(builder, "deploy", f"order@{first}", "--env", "production").code == 0
    second = released.release(builder, "Copy the number, exactly.")
    assert released.run(builder, "deploy", f"order@{second}", "--env", "production", "--canary").code == 0
    assert released.run(builder, "audit", "record").code == 0
    lines = b"\n".join(nights(3)) + b"\n"
    find_branch(builder.path, "origin").append(lambda _: {"nights/2026/03-08.jsonl": lines}, "nights")
    return builder


def test_releases_canary_and_nights_are_on_the_pages(shop: RepoBuilder, tmp_path: Path) -> None:
    out = tmp_path / "site"
    done = released.run(shop, "site", "--out", str(out))
    assert (done.code, "1 prompt" in done.text) == (0, True), done.text
    page = (out / "prompt" / "order.html").read_text(encoding="utf-8")
    assert '<span class="big">v1.0.0</span> <span class="soft">and v1.1.0 for' in page
    assert "<ins>+Copy the number, exactly.</ins>" in page
    assert "3 nights" in page
    assert "1 case decide about each change" in page
    assert "entry 5" in (out / "index.html").read_text(encoding="utf-8")
    again = released.run(shop, "site", "--out", str(out))
    assert "0 pages drawn" in again.text


def test_a_dry_run_draws_and_writes_nothing(shop: RepoBuilder, tmp_path: Path) -> None:
    out = tmp_path / "site"
    dry = released.run(shop, "site", "--out", str(out), "--dry-run", "--json")
    assert (dry.code, out.exists()) == (0, False)
    built = released.run(shop, "site", "--out", str(out), "--json")
    assert dry.value["files"] == built.value["files"]
    assert (dry.value["dry_run"], built.value["dry_run"]) == (True, False)
    assert {str(path) for path in out.rglob("*") if path.is_file()} == set(built.value["files"])
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    again = released.run(shop, "site", "--out", str(out), "--dry-run")
    assert "0 pages drawn" in again.text
    assert "not written" in again.text
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before
    demo = released.run(shop, "site", "--demo", "--out", str(tmp_path / "demo"), "--dry-run", "--json")
    assert (demo.code, demo.value["files"], (tmp_path / "demo").exists()) == (0, [], False)


def test_a_line_that_cannot_be_read_is_stated_and_fails(shop: RepoBuilder, tmp_path: Path) -> None:
    branch = find_branch(shop.path, "origin")
    before = branch.files().read("nights/2026/03-08.jsonl")
    branch.append(lambda _: {"nights/2026/03-08.jsonl": (before or b"") + b"{broken\n"}, "damage")
    done = released.run(shop, "site", "--out", str(tmp_path / "site"))
    branch.append(lambda _: {"nights/2026/03-08.jsonl": before}, "repair")
    assert done.code == 1
    assert "nights/2026/03-08.jsonl:4: not the line of a night" in done.text
    assert "could not be read" in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")


def test_nothing_to_show_is_no_success(tmp_path: Path) -> None:
    builder = RepoBuilder(tmp_path / "empty").write({"a.txt": "a"})
    builder.commit("base")
    done = released.run(builder, "site", "--out", str(tmp_path / "site"))
    assert (done.code, "nothing to show" in done.text) == (4, True)
    assert "No prompt was found" in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")


def test_two_repositories_are_one_site(shop: RepoBuilder, tmp_path: Path) -> None:
    other = released.shop(tmp_path)
    other.path.rename(tmp_path / "billing")
    words = ["--from", str(shop.path), "--from", str(tmp_path / "billing"), "--out", str(tmp_path / "site")]
    assert released.run(shop, "site", *words).code == 0
    pages = {path.relative_to(tmp_path / "site").as_posix() for path in (tmp_path / "site" / "prompt").rglob("*.html")}
    assert pages == {"prompt/shop/order.html", "prompt/billing/order.html"}
    page = (tmp_path / "site" / "prompt" / "billing" / "order.html").read_text(encoding="utf-8")
    assert re.findall(r'<p class="brand"><a href="([^"]+)"', page) == ["../../index.html"]
    twice = released.run(shop, "site", "--from", str(shop.path), "--from", str(shop.path))
    assert twice.code == 2


def test_secrets_of_the_environment_are_on_no_page(
    shop: RepoBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "the test says so")  # the reason of every release
    assert released.run(shop, "site", "--out", str(tmp_path / "site")).code == 0
    pages = [path.read_text(encoding="utf-8") for path in (tmp_path / "site").rglob("*.*")]
    assert pages
    assert [page for page in pages if "the test says so" in page] == []


def test_site_json_names_what_each_page_was_made_from(shop: RepoBuilder, tmp_path: Path) -> None:
    released.run(shop, "site", "--out", str(tmp_path / "site"), "--now", "2026-03-09T04:43:00Z")
    document = json.loads((tmp_path / "site" / "site.json").read_text(encoding="utf-8"))
    assert (document["schema"], document["made_at"]) == ("promptci/site/v1", "2026-03-09T04:43:00Z")
    assert {"index.html", "prompt/order.html", "badge/order.svg", "feed.xml"} <= set(document["pages"])
