"""What is done about a drift: issues, the deployment, exit codes and annotations."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import github as fake
from fakes.changing_model import ALIAS, ChangingModel
from fakes.openai_server import OpenAIServer
from support import released
from support.drift_shop import DriftShop, numbers, rules
from support.repositories import config

from promptci.cli.drift import DeploymentCommands
from promptci.drift.night import DriftVerdict, NightLine
from promptci.evaluation.nights.acting import DriftActions
from promptci.evaluation.nights.affected import count_affected
from promptci.evaluation.nights.results import PromptNight
from promptci.rollout.deployments.commit import CommitTarget

PRODUCTION = "deployments/production.yml"
NIGHT = NightLine(
    at="2026-03-02T03:17:00Z",
    prompt="order",
    version="v1.1.0",
    fingerprint="f",
    goldens="g",
    judge="j",
    model="m",
    n=1,
    marks="0",
    verdict=DriftVerdict.DRIFT,
)


@pytest.fixture
def github() -> Iterator[fake.GitHub]:
    with fake.GitHub() as running:
        yield running


def connected(shop: DriftShop, github: fake.GitHub) -> DriftShop:
    shop.environ = {"GITHUB_TOKEN": fake.TOKEN, "GITHUB_REPOSITORY": fake.REPOSITORY, "GITHUB_API_URL": github.url}
    return shop


def acting(shop: DriftShop) -> DriftActions:
    deployments = DeploymentCommands(shop.builder.path, "promptci.yml", CommitTarget(push=True))
    return DriftActions(roll_back=deployments.roll_back, start_canary=deployments.start_canary)


def configured(shop: DriftShop, server: OpenAIServer, on_drift: str) -> DriftShop:
    shop.edit({"promptci.yml": config(server, drift={"on_drift": on_drift})})
    shop.builder.git("push", "--quiet", "origin", "main")
    return shop


def write_log(shop: DriftShop, path: Path) -> str:
    """Log an hour with two users of each version, before the last steady night and after it."""
    rows = [
        {
            "time": f"{shop.now + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}",
            "promptci.request": f"{version}-{hours}-{number}",
            "gen_ai.prompt.name": "order",
            "gen_ai.prompt.version": version,
            "feature_flag.result.variant": "stable",
            "promptci.unit": f"u{number % 2}",
        }
        for hours in (-2, 2)
        for version in ("v1.0.0", "prompts/order/v1.1.0")
        for number in range(3)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def deployed(shop: DriftShop) -> str:
    shop.builder.git("fetch", "--quiet", "origin", "main")
    return shop.builder.git("show", f"FETCH_HEAD:{PRODUCTION}")


def test_one_issue_is_opened_updated_and_closed(shop: DriftShop, model: ChangingModel, github: fake.GitHub) -> None:
    connected(shop, github)
    model.broken = numbers(4)
    row = shop.night()
    (issue,) = github.issues.open
    assert row.issue is not None
    assert row.issue.endswith(f"/issues/{issue.number}")
    assert issue.title == "promptci drift: order answers worse"
    assert "answers its goldens worse since 2026-03-02" in issue.body
    assert f"2026-03-02  {'█' * 20}          80%" in issue.body
    shop.night()
    assert [each.number for each in github.issues.open] == [issue.number]
    model.broken = set()
    for _ in range(4):
        shop.night()
    assert github.issues.open == []


def test_a_github_that_fails_loses_no_night(shop: DriftShop, model: ChangingModel, github: fake.GitHub) -> None:
    connected(shop, github).environ["GITHUB_REPOSITORY"] = "other/unknown"
    model.broken = numbers(4)
    assert shop.night().verdict is DriftVerdict.DRIFT
    assert [line.verdict for line in shop.lines()] == ["drift"]
    assert any("the issue of order could not be written" in line for line in shop.said)


def test_the_version_before_is_gone_back_to_where_it_is_better(
    shop: DriftShop, server: OpenAIServer, model: ChangingModel
) -> None:
    configured(shop, server, "rollback")
    model.broken, model.broken_instructions = numbers(8), {"please": set()}
    row = shop.night(actions=acting(shop))
    assert "drift-earlier-better" in rules(row)
    assert row.action is not None
    assert "back to v1.0.0" in row.action
    assert "stable: prompts/order/v1.0.0" in deployed(shop)
    assert "Reason: drift: It answers worse" in shop.builder.git("log", "-1", "--format=%B", "FETCH_HEAD")


def affected_text(shop: DriftShop, *logs: str) -> str:
    row = shop.night(actions=replace(acting(shop), logs=logs))
    assert row.action is not None
    (text,) = (finding.text for finding in row.findings if finding.rule == "drift-affected")
    return text


def test_a_rollback_says_how_many_requests_were_affected(
    shop: DriftShop, server: OpenAIServer, model: ChangingModel, tmp_path: Path
) -> None:
    configured(shop, server, "rollback")
    shop.night()
    log = write_log(shop, tmp_path / "requests.jsonl")
    model.broken, model.broken_instructions = numbers(8), {"please": set()}
    text = affected_text(shop, log)
    assert text.startswith("Affected: 3 requests of 2 users, answered by v1.1.0 since 2026-03-02 03:17 UTC.")


def test_a_request_log_that_cannot_be_read_hinders_no_rollback(
    shop: DriftShop, server: OpenAIServer, model: ChangingModel, tmp_path: Path
) -> None:
    (tmp_path / "bad.jsonl").write_text("no log\n")
    for logs, reason in (
        ((), "no request log was named (`--log`)"),
        (("nowhere/*.jsonl",), "no file matches `--log`"),
        (("nowhere.jsonl",), "There is no file `nowhere.jsonl`"),
        ((str(tmp_path / "bad.jsonl"),), "1 of 1 lines are invalid"),
    ):
        night = PromptNight(name="order", version="v1.1.0", verdict=DriftVerdict.DRIFT, line=NIGHT)
        counted = count_affected(night, logs)
        assert counted.requests is None
        assert reason in counted.reason
    configured(shop, server, "canary")
    model.broken = numbers(8)
    assert "is not known: no request log was named" in affected_text(shop)


def test_a_version_that_is_no_better_is_not_gone_back_to(
    shop: DriftShop, server: OpenAIServer, model: ChangingModel
) -> None:
    configured(shop, server, "rollback")
    model.broken = numbers(8)
    row = shop.night(actions=acting(shop))
    assert (row.verdict, row.action) == (DriftVerdict.DRIFT, None)
    assert "drift-earlier-no-better" in rules(row)
    assert "stable: prompts/order/v1.1.0" in deployed(shop)


def test_the_version_before_is_started_as_a_canary(shop: DriftShop, server: OpenAIServer, model: ChangingModel) -> None:
    configured(shop, server, "canary")
    model.broken = numbers(8)
    row = shop.night(actions=acting(shop))
    assert row.action is not None
    assert "v1.1.0, canary v1.0.0 for 5%" in row.action
    assert "share: 5" in deployed(shop)
    assert shop.night(actions=acting(shop)).action is None


def test_a_deployment_that_cannot_be_changed_is_said(
    shop: DriftShop, server: OpenAIServer, model: ChangingModel
) -> None:
    shop.edit({"promptci.yml": config(server, drift={"on_drift": "canary"})})
    shop.builder.git("remote", "set-url", "--push", "origin", "/nowhere")
    model.broken = numbers(8)
    released.run(shop.builder, "deploy", "order@v1.0.0", "--env", "production", "--canary")
    path = shop.builder.path / PRODUCTION
    shop.edit({PRODUCTION: path.read_text()})
    shop.builder.git("remote", "remove", "origin")
    shop.pass_nights()
    (row,) = shop.watch(actions=acting(shop)).prompts
    assert row.verdict is DriftVerdict.DRIFT
    assert any("nothing was deployed" in finding.text for finding in row.findings)


def test_the_command_line_annotates_and_leaves_with_one(
    shop: DriftShop, model: ChangingModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.broken = numbers(8)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    done = released.run(shop.builder, "drift", "--env", "production")
    assert done.code == 1
    assert "order v1.1.0: drift" in done.text
    assert "::error title=promptci drift%3A order%3A drift::It answers worse" in done.text
    assert "\ndrift\n" in (tmp_path / "output").read_text()


def test_the_command_line_prints_json_and_a_steady_night_is_green(shop: DriftShop) -> None:
    done = released.run(shop.builder, "drift", "--json")
    assert done.code == 0
    start = done.text.index("{")
    assert '"verdict": "steady"' in done.text[start:]


def test_a_probe_that_differs_starts_the_goldens_by_itself(shop: DriftShop, model: ChangingModel) -> None:
    model.letters, model.broken = "WXYZ", numbers(8)
    done = released.run(shop.builder, "drift", "--probe")
    assert done.code == 1
    assert "does not answer the probes as in the reference" in done.text
    assert "order v1.1.0: drift" in done.text
    assert [line.verdict for line in shop.lines()] == ["drift"]


def test_freeze_alone_makes_a_reference(shop: DriftShop) -> None:
    assert released.run(shop.builder, "drift", "--freeze", "--probe").code == 2
    done = released.run(shop.builder, "drift", "--freeze")
    assert done.code == 0
    assert "is whole, with 20 answers to each case" in done.text
    assert ALIAS in (shop.builder.path / "drift/order.reference.json").read_text()
