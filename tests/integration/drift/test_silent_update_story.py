"""The story of the silent model update: 50,000 requests a day, the provider changes overnight, quality falls to 82 %.

The hourly probe finds it, the goldens confirm it, an issue opens, the version before is tried on real traffic, and
takes all of it over, without a hand in between. Afterwards the audit log says what happened, and the request log how
many users it touched.
"""

import json
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from fakes import github as fake
from fakes.changing_model import ChangingModel
from fakes.openai_server import OpenAIServer
from fakes.repo import ENVIRON
from support import released
from support.cli_runs import call_promptci
from support.drift_shop import DriftShop, numbers
from support.repositories import config

from promptci.cli.drift import DeploymentCommands
from promptci.drift.night import DriftVerdict
from promptci.evaluation.nights.acting import DriftActions
from promptci.rollout import deployment
from promptci.rollout.deployments.commit import CommitTarget

PRODUCTION = "deployments/production.yml"
PER_HOUR = 50_000 // 24
MOVED, EARLIER = "v1.1.0", "v1.0.0"
QUALITY = {MOVED: 0.82, EARLIER: 0.96}
POLICY = "policy:\n  min_time: 1h\n  max_time: 14d\n  lag: 10m\n"


@pytest.fixture
def github() -> Iterator[fake.GitHub]:
    with fake.GitHub() as running:
        yield running


class Application:
    """Answers requests with the deployed versions, and logs them."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.served = 0
        self.bad = 0
        self._draw = Random(7)  # noqa: S311 - made-up traffic

    def serve(self, hour: datetime, share: float) -> None:
        """Serve an hour's requests, one of each user; `share` percent of them get the earlier version."""
        rows = []
        for number in range(PER_HOUR):
            arm, version = ("canary", EARLIER) if self._draw.random() * 100 < share else ("stable", MOVED)
            good = self._draw.random() < QUALITY[version]
            self.served += 1
            self.bad += not good and version == MOVED
            rows.append(
                {
                    "time": f"{hour + timedelta(hours=number / PER_HOUR):%Y-%m-%dT%H:%M:%S.%fZ}",
                    "promptci.request": f"r{self.served}",
                    "gen_ai.prompt.name": "order",
                    "gen_ai.prompt.version": version,
                    "feature_flag.result.variant": arm,
                    "promptci.share": round(share * 100),
                    "promptci.unit": f"u{self.served}",
                    "promptci.latency_ms": round(self._draw.lognormvariate(6.5, 0.4)),
                    "gen_ai.usage.cost.amount": "0.002",
                    "gen_ai.evaluation.score.value": int(good),
                }
            )
        with self.log.open("a") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)


def current_share(shop: DriftShop) -> float:
    (entry,) = deployment.load((shop.builder.path / PRODUCTION).read_bytes(), PRODUCTION).prompts
    return entry.share


@pytest.mark.long
def test_a_silent_update_is_found_confirmed_and_rolled_back_by_itself(
    shop: DriftShop, server: OpenAIServer, model: ChangingModel, github: fake.GitHub, tmp_path: Path
) -> None:
    builder = shop.builder
    deployed = (builder.path / PRODUCTION).read_text()
    shop.edit({"promptci.yml": config(server, drift={"on_drift": "canary"}), PRODUCTION: deployed + POLICY})
    builder.git("push", "--quiet", "origin", "main")
    shop.environ = {"GITHUB_TOKEN": fake.TOKEN, "GITHUB_REPOSITORY": fake.REPOSITORY, "GITHUB_API_URL": github.url}
    actions = DeploymentCommands(builder.path, "promptci.yml", CommitTarget(push=True))
    assert shop.night().verdict is DriftVerdict.STEADY

    # Overnight, the provider changes the model without a word; only the version that is deployed suffers.
    changed_at = shop.now + timedelta(minutes=13)
    model.letters, model.broken, model.broken_instructions = "WXYZ", numbers(4), {"please": set()}
    application = Application(tmp_path / "requests.jsonl")

    # The next hourly probe differs, and starts the goldens at once.
    shop.now = changed_at + timedelta(minutes=47)
    application.serve(changed_at, 0)
    assert shop.probe().differing == ("order",)
    (row,) = shop.watch(actions=DriftActions(start_canary=actions.start_canary)).prompts
    assert row.verdict is DriftVerdict.DRIFT
    (issue,) = github.issues.open
    assert issue.title == "promptci drift: order answers worse"

    # The version before is tried on real traffic, step by step, and takes it over.
    builder.git("pull", "--quiet", "--ff-only", "origin", "main")
    assert current_share(shop) == 5
    hours = 1
    while current_share(shop) < 100 and hours < 24:
        application.serve(changed_at + timedelta(hours=hours), current_share(shop))
        hours += 1
        now = f"{changed_at + timedelta(hours=hours, minutes=11):%Y-%m-%dT%H:%M:%SZ}"
        words = ["canary", "--env", "production", "--log", str(application.log), "--now", now, "--apply"]
        done = call_promptci(words, builder.path, {**os.environ, **ENVIRON})
        assert done.returncode in {0, 3}, done.stdout + done.stderr
    assert current_share(shop) == 100
    builder.commit("a canary has all of the traffic")
    builder.git("push", "--quiet", "origin", "main")

    # What happened is in the audit log, and how many answers it cost is in the request log.
    assert released.run(builder, "audit", "record").code == 0
    log = released.run(builder, "audit", "log", "--prompt", "order", "--json")
    assert {"drift-opened", "deployed"} <= {entry["what"] for entry in log.value["entries"]}
    print(f"affected: {application.bad:,} bad answers of {application.served:,} in {hours} hours")  # noqa: T201
    without = 3 * 50_000 * (1 - QUALITY[MOVED])
    assert application.bad < 0.15 * without
