"""The workflows and the script of docs/rollout.md do what the page says: their steps run against a real remote."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes.repo import ENVIRON, RepoBuilder
from support import released
from support.released import PRODUCTION, PROMPT, prompt, run

from promptci.registry import tags
from promptci.runtime import Bundle

PAGE = (Path(__file__).parents[2] / "docs" / "rollout.md").read_text(encoding="utf-8")
GH = """#!/bin/sh
case "$*" in
  *commits/*/pulls*) echo 247 ;;
  *reviews*) printf 'cem (id 3)\\nann (id 2)\\nann (id 2)\\n' ;;
  *pulls/247*) echo 'bob (id 1)' ;;
esac
"""
POLICY = "policy:\n  lag: 0s\n  min_requests: 20\n"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def workflow(name: str) -> dict[str, Any]:
    loaded = [yaml.load(text, yaml.BaseLoader) for text in blocks("yaml") if "\njobs:" in text]  # noqa: S506 - texts only
    (result,) = [each for each in loaded if each["name"] == name]
    return dict(result)


def step(name: str, title: str) -> dict[str, Any]:
    (job,) = workflow(name)["jobs"].values()
    (result,) = [each for each in job["steps"] if each.get("name") == title]
    return dict(result)


def execute(script: str, folder: Path, place: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a script as the runner does, with this environment's promptci and a stand-in for gh."""
    programs = place / "bin"
    programs.mkdir(exist_ok=True)
    for name, text in {"gh": GH, "promptci": f'#!/bin/sh\nexec "{sys.executable}" -m promptci "$@"\n'}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    environ = {**ENVIRON, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "HOME": str(place), **variables}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def shop(tmp_path: Path) -> RepoBuilder:
    """A clone of a repository in which v1.0.0 runs and v1.1.0 is tried."""
    builder = released.shop(tmp_path)
    released.release(builder)
    builder.write({PRODUCTION: f"prompts: {{}}\n{POLICY}"}).commit()
    assert run(builder, "deploy", "order@v1.0.0", "--env", "production").code == 0
    released.release(builder, "Copy only the number.")
    assert run(builder, "deploy", "order@v1.1.0", "--env", "production", "--canary").code == 0
    (clone,) = released.with_remote(builder, "clone")
    return clone


def test_the_workflows_state_their_rights_and_the_page_describes_them() -> None:
    for name in ("Release prompts", "Roll back a prompt"):
        result = workflow(name)
        assert result["permissions"] == {}
        rights = {
            f"`{right}: {level}`" for job in result["jobs"].values() for right, level in job["permissions"].items()
        }
        assert [right for right in rights if right not in PAGE.partition("## Release")[0]] == []
        assert "${{" not in "".join(each.get("run", "") for job in result["jobs"].values() for each in job["steps"])


def test_what_was_pushed_is_tested_and_released_with_its_people(shop: RepoBuilder, tmp_path: Path) -> None:
    shop.write({PROMPT: prompt("Copy nothing but the number.")}).commit("Shorter")
    planned = run(shop, "release", "order", "--dry-run", "--because", "x", "--json").value
    released.report(shop.path / "promptci-report" / "report.json", planned["prompts"][0]["fingerprint"])
    done = execute(
        step("Release prompts", "Release what passed")["run"],
        shop.path,
        tmp_path,
        GITHUB_REPOSITORY="example/shop",
        GITHUB_SHA=shop.git("rev-parse", "HEAD"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "order: released as v1.2.0" in done.stdout
    trailers = tags.list_releases(shop.path)["order"][-1].trailers
    assert [trailers[name] for name in ("Pull-request", "Proposed-by", "Approved-by")] == [
        "247",
        "bob (id 1)",
        "ann (id 2), cem (id 3)",
    ]
    assert "refs/tags/prompts/order/v1.2.0" in shop.git("ls-remote", "--tags", "origin")


def test_a_rollback_by_hand_is_pushed_by_the_person_s_name(shop: RepoBuilder, tmp_path: Path) -> None:
    inputs = {"PROMPT": "order", "VERSION": "v1.0.0", "REASON": 'wrong "queue"; $(touch hacked)', "KEEP": ""}
    actor = {"GITHUB_ACTOR": "bob", "GITHUB_ACTOR_ID": "7"}
    done = execute(step("Roll back a prompt", "Roll back")["run"], shop.path, tmp_path, **inputs, **actor)
    assert done.returncode == 0, done.stdout + done.stderr
    assert shop.git("log", "-1", "--format=%an <%ae>", "origin/main") == "bob <7+bob@users.noreply.github.com>"
    assert 'Reason: wrong "queue"; $(touch hacked)' in shop.git("log", "-1", "--format=%B", "origin/main")
    assert not (shop.path / "hacked").exists()
    bundle = step("Roll back a prompt", "Make the bundle")["run"]
    assert execute(bundle, shop.path, tmp_path, BRANCH="main").returncode == 0
    bundled = json.loads((shop.path / "dist" / "production.bundle.json").read_bytes())["prompts"]["order"]
    assert (bundled["stable"]["version"], bundled["canary"]) == ("v1.0.0", None)
    again = execute(step("Roll back a prompt", "Roll back")["run"], shop.path, tmp_path, **inputs, **actor)
    assert (again.returncode, "nothing changed" in again.stdout) == (0, True)


def test_the_steps_for_the_canary_s_workflow_make_the_bundle() -> None:
    (added,) = [yaml.safe_load(text) for text in blocks("yaml") if "jobs:" not in text]
    assert [each.get("run", "").partition(" --")[0] for each in added] == [
        "promptci bundle",
        "./scripts/publish-bundle dist/production.bundle.json",
    ]


@pytest.mark.long
def test_the_script_looks_where_the_log_is_and_rolls_back(shop: RepoBuilder, tmp_path: Path) -> None:
    (script,) = blocks("sh")
    bundle, log = tmp_path / "www" / "production.bundle.json", tmp_path / "requests.jsonl"
    bundle.parent.mkdir()
    places = {
        "PROMPTCI_CLONE": str(shop.path),
        "PROMPTCI_LOG": str(tmp_path / "requests*.jsonl"),
        "PROMPTCI_BUNDLE": str(bundle),
    }
    left_over = {PRODUCTION: "prompts: [", "deployments/production.canary.json": "{"}
    shop.write(left_over)  # by a look that was cut off
    started = execute(script, tmp_path, tmp_path, **places)
    assert started.returncode == 0, started.stdout + started.stderr

    prompts = Bundle(str(bundle), log=log)
    for number in range(1500):
        use = prompts.choose("order", f"user-{number}")
        prompts.late(use.record(latency_ms=100, cost_usd="0.001"), quality=int(use.arm == "stable"))
    done = execute(script, tmp_path, tmp_path, **places)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "order: roll back" in done.stdout
    assert shop.git("log", "-1", "--format=%s", "origin/main") == "Canary in production: rolled back"
    after = json.loads(bundle.read_bytes())
    assert after["prompts"]["order"]["share"] == 0

    head = shop.git("rev-parse", "origin/main")
    assert execute(script, tmp_path, tmp_path, **places).returncode == 0
    shop.git("fetch", "--quiet")
    assert (shop.git("rev-parse", "origin/main"), json.loads(bundle.read_bytes())) == (head, after)
    log.write_text("{\n" * 100)
    broken = execute(script, tmp_path, tmp_path, **places)
    assert broken.returncode not in {0, 1}
