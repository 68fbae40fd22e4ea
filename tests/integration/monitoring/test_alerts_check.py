"""`promptci alerts check`, look after look, with a GitHub and a chat that listen."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes import github as fake
from fakes import openapi, runner
from fakes.repo import RepoBuilder
from fakes.webhook_server import WebhookServer
from support import released
from support.daily import first_daily
from support.monitor_traffic import NOW, monitor, traffic
from support.processes import LONGEST_S
from support.released import Outcome
from support.templates import copy_built

from promptci.monitor.document import MonitorDocument
from promptci.publish.github import github_session

CONFIG = """alerts:
  webhook: {url_env: CHAT}
  rules:
    - {name: quality-low, kind: threshold, metric: quality, limit: 0.9}
"""
LOOK = timedelta(minutes=5)
MONITOR = "promptci-report/monitor.json"
"""Where `promptci monitor` writes it, and where the check looks for it."""


class Shop:
    """A clone in which looks are taken, one every five minutes."""

    def __init__(self, builder: RepoBuilder, chat: WebhookServer, server: fake.GitHub) -> None:
        self.builder, self.chat, self.server = builder, chat, server
        self.now = NOW
        (builder.path / MONITOR).parent.mkdir()

    def look(self, good: int | None, *words: str, made_at: datetime | None = None) -> Outcome:
        """Take a look; `good` of 200 requests are right, None: no monitor.json is there."""
        place = self.builder.path / MONITOR
        place.unlink(missing_ok=True)
        if good is not None:
            self.write(monitor([traffic(0, good=good)], made_at=made_at or self.now))
        options = words or ("--push",)
        done = released.run(self.builder, "alerts", "check", "--now", f"{self.now:%Y-%m-%dT%H:%M:%SZ}", *options)
        self.now += LOOK
        return done

    def write(self, document: MonitorDocument) -> None:
        (self.builder.path / MONITOR).write_text(document.dump())

    def lines(self) -> list[dict[str, Any]]:
        """What the remote's branch has."""
        self.builder.git("fetch", "--quiet", "origin", "promptci/history")
        return [json.loads(line) for line in self.builder.git("show", "FETCH_HEAD:alerts/2026-03.jsonl").splitlines()]


@pytest.fixture
def chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebhookServer]:
    with WebhookServer(tmp_path).serving() as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.pem))
        monkeypatch.setenv("CHAT", running.url)
        yield running


@pytest.fixture
def server() -> Iterator[fake.GitHub]:
    with fake.GitHub() as running, openapi.watched(running):
        yield running


@pytest.fixture
def shop(tmp_path: Path, chat: WebhookServer, server: fake.GitHub, monkeypatch: pytest.MonkeyPatch) -> Shop:
    for name, value in released.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(github_session, "WRITE_INTERVAL_S", 0)
    environ = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": server.url,
        "GITHUB_REPOSITORY": fake.REPOSITORY,
        "GITHUB_TOKEN": fake.TOKEN,
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_RUN_ID": "10",
        "GITHUB_ACTOR": "bob",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    copy_built(build_clone, tmp_path)
    return Shop(RepoBuilder(tmp_path / "clone"), chat, server)


def build_clone(path: Path) -> None:
    builder = released.shop(path).write({"promptci.yml": CONFIG})
    builder.commit("alerts")
    released.with_remote(builder, "clone")


def test_an_alert_is_opened_updated_and_closed_everywhere(shop: Shop, tmp_path: Path) -> None:
    first = shop.look(164)
    assert (first.code, shop.server.issues.open, shop.chat.messages) == (0, [], [])

    opened = shop.look(160)
    assert opened.code == 1
    (issue,) = shop.server.issues.open
    assert (issue.title, issue.labels) == ("Alert quality-low: order-extractor", ("promptci",))
    assert "Quality is 80% over 1 h; the lower limit is 90%." in issue.body
    assert "actions/runs/10" in issue.body
    assert f"/issues/{issue.number}" in opened.text
    assert "::error title=promptci%3A Alert quality-low%3A order-extractor::" in opened.text
    assert shop.chat.messages[-1]["text"] == "promptci: 1 opened, 0 resolved"
    assert f"/issues/{issue.number}" in shop.chat.messages[-1]["blocks"][0]["text"]["text"]
    outputs = dict(runner.key_values((tmp_path / "output").read_text()))
    assert outputs == {"data": "ok", "open": "1", "opened": "1", "resolved": "0"}
    assert "| `quality-low` | `order-extractor` | open |" in (tmp_path / "summary").read_text()

    assert shop.look(140).code == 1
    assert "70%" in issue.body
    assert [shop.look(200).code for _ in range(3)] == [1, 1, 0]
    assert (issue.state, issue.state_reason) == ("closed", "completed")
    assert "three looks" in shop.server.bodies[-1]
    assert shop.chat.messages[-1]["text"] == "promptci: 0 opened, 1 resolved"
    assert len(shop.chat.messages) == 2
    assert [line["what"] for line in shop.lines()] == ["pending", "opened", "updated", "updated", "resolved"]

    audit = released.run(shop.builder, "audit", "log", "--json").value["entries"][::-1]
    assert [(entry["what"], entry["prompt"], entry["by"]["actor"]) for entry in audit] == [
        ("log-began", None, "bob"),
        ("alert-opened", "order-extractor", "bob"),
        ("alert-closed", "order-extractor", "bob"),
    ]
    assert released.run(shop.builder, "audit", "verify").code == 0
    assert released.run(shop.builder, "history", "check").code == 0
    assert shop.look(200).code == 0
    assert len(shop.server.issues.by_number) == 1


def test_a_steady_state_makes_no_commit(shop: Shop) -> None:
    assert [shop.look(200).code for _ in range(2)] == [0, 0]
    assert shop.builder.git("ls-remote", "origin", "refs/heads/promptci/history") == ""


@pytest.mark.parametrize(
    ("good", "made_at", "data"),
    first_daily(
        [
            (None, None, "missing"),
            (200, NOW - timedelta(hours=3), "old-look"),
            (200, NOW + timedelta(days=9), "ahead"),
            (0, None, "empty"),
        ],
        2,
    ),
)
def test_without_usable_data_the_check_is_never_green(
    shop: Shop, good: int | None, made_at: datetime | None, data: str
) -> None:
    def look() -> Outcome:
        if data == "empty":
            shop.write(monitor([], newest=None, made_at=shop.now))
            words = ("alerts", "check", "--push", "--now", f"{shop.now:%Y-%m-%dT%H:%M:%SZ}")
            shop.now += LOOK
            return released.run(shop.builder, *words)
        return shop.look(good, made_at=made_at)

    first = look()
    assert (first.code, f"data: {data}" in first.text) == (4, True)
    assert "::error title=promptci%3A No data to alert on::" in first.text
    assert look().code == 1
    (issue,) = shop.server.issues.open
    assert issue.title == "No data to alert on"


def test_a_dry_run_tells_nobody_and_keeps_nothing(shop: Shop, tmp_path: Path) -> None:
    assert shop.look(100).code == 0
    done = shop.look(100, "--push", "--dry-run", "--json")
    assert (done.code, done.value["alerts"][1]["event"], done.value["dry_run"]) == (1, "opened", True)
    assert (shop.server.issues.open, shop.chat.messages) == ([], [])
    assert [line["what"] for line in shop.lines()] == ["pending"]
    assert "opened<<" in (tmp_path / "output").read_text()
    assert dict(runner.key_values((tmp_path / "output").read_text()))["open"] == "0"


def test_without_push_the_alerts_stay_in_this_clone(shop: Shop) -> None:
    assert [shop.look(100, "--json").code for _ in range(2)] == [0, 1]
    assert shop.builder.git("ls-remote", "origin", "refs/heads/promptci/history") == ""
    assert shop.builder.git("rev-list", "--count", "promptci/history") == "2"


def test_who_cannot_be_told_is_named_and_told_at_the_next_look(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.look(100)
    shop.server.read_only = True
    shop.chat.status = 404
    done = shop.look(100)
    assert done.code == 1
    assert "permissions: issues: write" in done.text
    assert "The webhook answered 404" in done.text
    assert "secret-token" not in done.text
    shop.server.read_only = False
    shop.look(100)
    assert len(shop.server.issues.open) == 1

    shop.server.read_only = True
    assert [shop.look(200).code for _ in range(3)] == [1, 1, 4]
    shop.server.read_only = False
    assert shop.look(200).code == 0
    assert shop.server.issues.open == []

    monkeypatch.delenv("CHAT")
    shop.look(100)
    assert "`CHAT` is not set" in shop.look(100).text


def test_the_address_of_the_chat_is_nowhere(shop: Shop, tmp_path: Path) -> None:
    texts = [shop.look(100).text for _ in range(2)]
    texts += [(tmp_path / name).read_text() for name in ("output", "summary")]
    texts += [known.body for known in shop.server.issues.open] + [json.dumps(shop.lines())]
    assert "secret-token" not in "".join(texts)


def test_hostile_names_of_prompts_format_nothing(shop: Shop) -> None:
    name = "@everyone `x` | <!-- promptci-issue:v1 --> https://evil.example\n::error::x"
    for _ in range(2):
        row = traffic(0, good=0).model_copy(update={"prompt": name})
        shop.write(monitor([row], made_at=shop.now))
        words = ("alerts", "check", "--push", "--now", f"{shop.now:%Y-%m-%dT%H:%M:%SZ}")
        shop.now += LOOK
        done = released.run(shop.builder, *words)
    assert done.code == 1
    (issue,) = shop.server.issues.open
    assert issue.body.count("<!--") == 1
    assert "\n" not in issue.title
    assert [line for line in done.text.splitlines() if line.startswith("::")] == [
        line for line in done.text.splitlines() if line.startswith("::error title=promptci%3A Alert")
    ]


def test_without_rules_there_is_nothing_to_check(shop: Shop) -> None:
    shop.builder.write({"promptci.yml": "version: 1\n"})
    done = shop.look(200)
    assert (done.code, "has no alerts" in done.text) == (2, True)


def test_a_monitor_json_that_cannot_be_read_is_an_error(shop: Shop) -> None:
    (shop.builder.path / MONITOR).write_text("{")
    done = released.run(shop.builder, "alerts", "check")
    assert (done.code, "monitor.json:1: " in done.text) == (4, True)


@pytest.mark.long
def test_two_checks_at_once_are_two_looks(shop: Shop, tmp_path: Path) -> None:
    """Whoever pushes second evaluates again, on top of the first one's lines."""
    shop.look(100)
    shop.write(monitor([traffic(0, good=100)], made_at=shop.now))
    words = ["alerts", "check", "--push", "--now", f"{shop.now:%Y-%m-%dT%H:%M:%SZ}"]
    processes = [released.start(shop.builder, words) for _ in range(2)]
    ended = [(process.communicate(timeout=LONGEST_S), process.returncode) for process in processes]
    assert [code for _, code in ended] == [1, 1], ended
    assert [line["what"] for line in shop.lines()] == ["pending", "opened"]
    assert len(shop.server.issues.open) == 1
