"""`promptci canary simulate` and the page of `promptci canary`, as people call them."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from fakes.repo import RepoBuilder
from support.cli_runs import call_promptci

ROLLOUT = """\
prompts:
  order:
    stable: v1
steps: [10, 100]
policy:
  min_requests: 50
  min_time: 1h
  max_quality_drop: {limit}
"""


def simulate(repo: RepoBuilder, *words: str) -> "subprocess.CompletedProcess[str]":
    return call_promptci(["canary", "simulate", "--runs", "40", *words], repo.path, os.environ)


@pytest.fixture
def shop(tmp_path: Path) -> RepoBuilder:
    return RepoBuilder(tmp_path / "shop").write({"deployments/production.yml": ROLLOUT.format(limit=0.2)})


STORY = ("--per-day", "50000", "--from", ".96", "--to")


@pytest.mark.parametrize("words", [("--per-day", "inf"), ("--users", "nan"), ("--schedule", "inf"), ("--cache", "nan")])
def test_what_is_no_finite_number_is_refused(shop: RepoBuilder, words: tuple[str, str]) -> None:
    done = simulate(shop, *STORY, ".82", *words)
    assert (done.returncode, f"{words[0]} is {words[1]}" in done.stderr) == (2, True), done.stdout


def test_the_mission_s_story_is_printed_with_its_delay_apart(shop: RepoBuilder) -> None:
    done = simulate(shop, *STORY, ".82")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "40 canaries, 0.96 → 0.82 good answers, 50,000 requests a day, each of another user"
    assert lines[1] == "rolled back: 100.0%, given all traffic: 0.0%"
    assert lines[2] == "at 5% (reached by 40):"
    assert "minutes of delay" in lines[3]
    assert "during the delay; about" in lines[4]
    assert lines[-1].startswith("The delay is the log's 10 minutes, a look every 15 minutes, and 10 minutes until")


def test_the_policy_of_an_environment_counts(shop: RepoBuilder) -> None:
    done = simulate(shop, "--env", "production", "--users", "20000", "--schedule", "5", *STORY, ".96", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["schema"], result["promoted"], result["rolled_back"]) == ("promptci/canary-simulation/v1", 1, 0)
    assert (result["users"], result["schedule_s"], result["lag_s"]) == (20_000, 300, 600)
    (step,) = result["steps"]
    (outcome,) = step["outcomes"]
    assert (step["share"], step["reached"], outcome["outcome"]) == (10, 40, "promoted")
    assert outcome["possible_s"]["median"] + outcome["delay_s"]["median"] >= 3600


def test_a_step_that_is_never_decided_says_so(shop: RepoBuilder) -> None:
    done = simulate(shop, "--env", "production", "--users", "200", *STORY, ".96")
    assert "  held for a person: 100.0%, undecided after 14 days" in done.stdout.splitlines()


@pytest.mark.parametrize(
    ("words", "limit", "message"),
    [
        ((*STORY, "82"), "0.2", "--to is 82"),
        (("--env", "staging", *STORY, ".9"), "0.2", "There is no deployments/staging.yml"),
        (("--env", "production", *STORY, ".9"), "null", "The policy does not test quality"),
    ],
)
def test_what_cannot_be_simulated_is_said(shop: RepoBuilder, words: tuple[str, ...], limit: str, message: str) -> None:
    shop.write({"deployments/production.yml": ROLLOUT.format(limit=limit)})
    done = simulate(shop, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
