"""`promptci canary` from end to end: real files in a real repository, look after look."""

import json
import os
import re
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes.repo import RepoBuilder
from support import canary_traffic
from support.canary_traffic import START, Ways
from support.cli_runs import call_promptci
from support.daily import some_daily

from promptci.rollout import deployment

FILE = """\
# Who gets what.
prompts:
  order:
    stable: v1
    canary:
      version: v2
      share: 0   # percent
policy:
  min_requests: 100
  min_time: 6h
  max_quality_drop: 0.05
  max_error_rise: 0.05
"""
YML, STATE = "deployments/production.yml", "deployments/production.canary.json"


@pytest.fixture
def shop(tmp_path: Path) -> RepoBuilder:
    builder = RepoBuilder(tmp_path / "shop").write({YML: FILE})
    builder.commit()
    builder.git("tag", "v1")
    builder.commit()
    builder.git("tag", "v2")
    return builder


def look(
    shop: RepoBuilder, hours: float, *words: str, log: str = "logs/*.jsonl", env: str = "production", **environ: str
) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
    now = f"{START + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"
    command = ["canary", "--env", env, "--log", log, "--now", now, *words]
    return call_promptci(command, shop.path, {**kept, **environ})


def shares(shop: RepoBuilder) -> list[float]:
    return [prompt.share for prompt in deployment.load((shop.path / YML).read_bytes(), YML).prompts]


GOOD, BAD = Ways(), Ways(quality=0.7)


def log(shop: RepoBuilder, name: str, first: float, share: float, canary: Ways = GOOD, *, n: int = 4000) -> None:
    """Write eight hours of traffic, from `first` hours after the start on, all of new users."""
    moved = [
        replace(request, id=f"{name}-{request.id}", time=request.time + timedelta(hours=first))
        for request in canary_traffic.traffic(n, canary, share=share, hours=8, seed=int(first))
    ]
    canary_traffic.write(shop.path / "logs" / f"{name}.jsonl", moved)


def test_a_good_canary_goes_through_all_steps_and_skips_none(shop: RepoBuilder, tmp_path: Path) -> None:
    begun = look(shop, 0, "--apply")
    assert (begun.returncode, shares(shop)) == (0, [5]), begun.stderr
    assert "order: wait: 0% → 5%" in begun.stdout
    for step, (share, after) in enumerate(((5, 25), (25, 50), (50, 100))):
        log(shop, f"day{step}", 8 * step, share, n=12_000 if share == 5 else 4000)
        early = look(shop, 8 * step + 4, "--apply")
        assert (early.returncode, shares(shop)) == (0, [share]), early.stdout + early.stderr
        done = look(shop, 8 * step + 8, "--apply")
        assert (done.returncode, shares(shop)) == (0, [after]), done.stdout + done.stderr
        assert f"order: promote: {share}% → {after}%" in done.stdout
    last = look(shop, 25, "--apply")
    assert (last.returncode, shares(shop)) == (0, [100])
    assert "order: hold at 100%" in last.stdout
    assert (shop.path / YML).read_text() == FILE.replace("share: 0 ", "share: 100 ")


def test_a_bad_canary_is_rolled_back_and_stays_so(shop: RepoBuilder, tmp_path: Path) -> None:
    look(shop, 0, "--apply")
    log(shop, "day", 0, 5, BAD)
    runner = {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary"), "GITHUB_OUTPUT": str(tmp_path / "output")}
    done = look(shop, 8, "--apply", GITHUB_ACTIONS="true", **runner)
    assert (done.returncode, shares(shop)) == (1, [0]), done.stdout + done.stderr
    assert "::error title=promptci canary%3A order%3A roll back::Quality: 68.9%25" in done.stdout
    assert "### ⏪ Canaries in `production`: roll back" in (tmp_path / "summary").read_text()
    text = (tmp_path / "output").read_text()
    assert "roll back\n" in text
    assert "true\n" in text
    written = json.loads((shop.path / "promptci-report" / "canary.json").read_text())
    assert (written["outcome"], written["prompts"][0]["new_share"]) == ("roll back", 0)
    affected = written["prompts"][0]["affected"]
    logged = [json.loads(line) for line in (shop.path / "logs" / "day.jsonl").read_text().splitlines()]
    served = [line for line in logged if line["promptci.arm"] == "canary"]
    assert affected == {"requests": len(served), "users": len({line["promptci.user"] for line in served})}
    words = f"Affected: {affected['requests']:,} requests of {affected['users']:,} users"
    assert words in done.stdout
    assert words in (tmp_path / "summary").read_text()
    assert (shop.path / "promptci-report" / "canary.md").read_text().rstrip() + "\n" == (
        tmp_path / "summary"
    ).read_text()

    again = look(shop, 9, "--apply")
    assert (again.returncode, shares(shop)) == (0, [0])
    assert "stays so until a version changes" in again.stdout
    (shop.path / YML).write_text(FILE.replace("share: 0", "share: 5"))
    loose = look(shop, 10, "--apply")
    assert (loose.returncode, shares(shop)) == (1, [0])
    shop.git("tag", "v3")
    (shop.path / YML).write_text(FILE.replace("version: v2", "version: v3"))
    fresh = look(shop, 11, "--apply")
    assert (fresh.returncode, shares(shop)) == (0, [5])
    assert json.loads((shop.path / STATE).read_text())["prompts"]["order"]["rolled_back"] is None


def test_without_apply_nothing_in_the_repository_changes(shop: RepoBuilder) -> None:
    done = look(shop, 0, "--out", str(shop.path.parent / "out"))
    assert (done.returncode, shares(shop)) == (0, [0])
    assert "order: wait: 0% → 5%" in done.stdout
    assert "nothing was written" in (shop.path.parent / "out" / "canary.md").read_text()
    assert shop.git("status", "--porcelain") == ""


def test_a_look_that_changes_nothing_writes_nothing(shop: RepoBuilder) -> None:
    look(shop, 0, "--apply")
    log(shop, "day", 0, 5)
    shop.write({".gitignore": "logs\npromptci-report\n"}).commit()
    for hours in (1, 1.25, 1.5):
        assert look(shop, hours, "--apply").returncode == 0
        assert shop.git("status", "--porcelain") == ""


def recorded(shop: RepoBuilder) -> list[dict[str, Any]]:
    text = shop.git("show", "promptci/history:canary/production/order@v2.jsonl")
    return [json.loads(line) for line in text.splitlines()]


def test_looks_that_changed_something_are_recorded_on_the_history_branch(shop: RepoBuilder) -> None:
    look(shop, 0, "--apply", "--history")
    log(shop, "day", 0, 5, BAD)
    for hours in (0.25, 0.3, 0.35):
        assert look(shop, hours, "--apply", "--history").returncode == 0
    assert [(line["outcome"], line["share"], line["new_share"]) for line in recorded(shop)] == [
        ("wait", 0, 5),
        ("wait", 5, 5),
    ]
    assert look(shop, 8, "--apply", "--history").returncode == 1
    last = recorded(shop)[-1]
    assert (last["outcome"], last["new_share"], last["schema"]) == ("roll back", 0, "promptci/canary-look/v1")
    quality = next(metric for metric in last["metrics"] if metric["metric"] == "quality")
    assert quality["status"] == "worse"
    assert quality["log_e_worse"] >= quality["need_worse"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
    checked = call_promptci(["history", "check"], shop.path, environ)
    assert (checked.returncode, checked.stdout.splitlines()[0]) == (0, "canary: 3 lines"), checked.stdout


def test_a_history_branch_that_cannot_be_written_is_an_error_and_hides_no_rollback(shop: RepoBuilder) -> None:
    shop.git("remote", "add", "origin", str(shop.path.parent / "nowhere.git"))
    begun = look(shop, 0, "--apply", "--history")
    assert (begun.returncode, shares(shop)) == (4, [5])
    assert "error: " in begun.stderr
    log(shop, "day", 0, 5, BAD)
    assert (look(shop, 8, "--apply", "--history").returncode, shares(shop)) == (1, [0])


def test_a_look_tells_what_it_read_and_what_it_wrote(shop: RepoBuilder) -> None:
    first = look(shop, 0, "--apply", log="typo/*.jsonl")
    assert "no file matches --log: nothing was read; at the next look this is an error" in first.stdout
    written = f"written: {YML.replace('.yml', '.canary.json')}, {YML}. Commit and push them"
    assert written in first.stderr, first.stderr
    assert "Applications follow when the bundle is made of that commit" in first.stderr
    log(shop, "day", 0, 5, BAD)
    lines = sum(len(path.read_text().splitlines()) for path in shop.path.glob("logs/*.jsonl"))
    second = look(shop, 0.1, "--dry-run")
    assert f"log: {lines:,} lines in 1 file read, 0 requests counted" in second.stdout
    assert "written" not in second.stderr


def test_a_glob_that_matches_nothing_is_said(shop: RepoBuilder) -> None:
    look(shop, 0, "--apply")
    done = look(shop, 0.1, "--apply", log="typo/*.jsonl")
    assert "order: wait at 5%" in done.stdout
    assert done.returncode == 4  # a misspelt pattern in a scheduled job must not stay green
    done = look(shop, 8, "--apply", log="typo/*.jsonl")
    assert (done.returncode, shares(shop)) == (4, [5])
    assert "order: hold at 5%" in done.stdout
    assert "no file matches --log: nothing was read" in done.stdout


def test_a_dry_run_records_nothing(shop: RepoBuilder) -> None:
    assert look(shop, 0, "--dry-run", "--history").returncode == 0
    assert "promptci/history" not in shop.git("branch", "--list", "--all")


def test_a_stop_between_the_two_files_is_safe(shop: RepoBuilder) -> None:
    """The state is written first: a rollback is taken up again, a promotion begins its step anew."""
    look(shop, 0, "--apply")
    log(shop, "day", 0, 5, BAD)
    before = (shop.path / YML).read_bytes()
    look(shop, 8, "--apply")
    (shop.path / YML).write_bytes(before)
    again = look(shop, 9, "--apply")
    assert (again.returncode, shares(shop)) == (1, [0])


@pytest.mark.parametrize(
    ("changed", "words", "code", "message"),
    some_daily(
        [
            ({}, {"env": "staging"}, 2, "There is no deployments/staging.yml"),
            ({}, {"env": "../etc"}, 2, "`../etc` cannot be an environment"),
            ({}, {"log": "gone.jsonl"}, 2, "There is no file `gone.jsonl`"),
            ({YML: FILE.replace("policy", "polcy")}, {}, 2, f"{YML}:8: unknown key `polcy`. Did you mean `policy`?"),
            ({YML: FILE.replace("version: v2", "version: v9")}, {}, 4, "There is no commit `v9` here"),
            ({STATE: "{}"}, {}, 4, f"{STATE}: `schema` is null"),
            ({STATE: "{}", ".gitignore": "*.json\n"}, {}, 4, "git ignores the file"),
            ({"logs/bad.jsonl": "{}\n"}, {}, 4, "logs/bad.jsonl: 1 of 1 lines are invalid, over 1%"),
        ],
        4,
    ),
)
def test_what_cannot_be_evaluated_changes_nothing(
    shop: RepoBuilder, changed: dict[str, str], words: dict[str, str], code: int, message: str
) -> None:
    """FAULTS 127: neither a promotion nor a rollback comes of what cannot be read."""
    shop.write(changed)
    before = (shop.path / YML).read_bytes()
    done = look(shop, 0, "--apply", log=words.get("log", "logs/*.jsonl"), env=words.get("env", "production"))
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert message in done.stderr
    assert (shop.path / YML).read_bytes() == before


def test_a_deployment_file_that_is_a_link_is_not_followed(shop: RepoBuilder, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.yml").write_text(FILE)
    (shop.path / YML).unlink()
    shop.link(YML, str(tmp_path / "elsewhere.yml"))
    done = look(shop, 0, "--apply")
    assert done.returncode == 4
    assert "symbolic link" in done.stderr


def test_bad_lines_are_named_and_secrets_are_not_shown(shop: RepoBuilder) -> None:
    look(shop, 0, "--apply")
    log(shop, "day", 0, 5)
    with (shop.path / "logs" / "day.jsonl").open("a") as file:
        file.write('{"promptci.request": "x", "time": "sk-canary-0123456789abcdef"}\n')
    done = look(shop, 8, OPENAI_API_KEY="sk-canary-0123456789abcdef")
    assert done.returncode == 0, done.stderr
    assert "not counted: logs/day.jsonl:4001: `time` is" in done.stdout
    assert "0123456789abcdef" not in done.stdout + done.stderr


def test_a_dry_run_prints_the_decision_and_writes_nothing(shop: RepoBuilder) -> None:
    look(shop, 0, "--apply")
    (shop.path / "promptci-report" / "canary.html").unlink()
    before = (shop.path / STATE).read_bytes(), (shop.path / YML).read_bytes()
    log(shop, "day", 0, 5, BAD)
    done = look(shop, 8, "--apply", "--dry-run", "--json")
    assert done.returncode == 1, done.stderr
    result = json.loads(done.stdout)
    assert (result["outcome"], result["applied"], result["prompts"][0]["new_share"]) == ("roll back", False, 0)
    assert before == ((shop.path / STATE).read_bytes(), (shop.path / YML).read_bytes())
    assert not (shop.path / "promptci-report" / "canary.html").exists()


@pytest.fixture
def origin(shop: RepoBuilder, tmp_path: Path) -> RepoBuilder:
    """The remote of the shop, and its only other clone."""
    subprocess.run(["git", "clone", "--quiet", "--bare", str(shop.path), str(tmp_path / "origin.git")], check=True)
    shop.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    subprocess.run(["git", "clone", "--quiet", str(tmp_path / "origin.git"), str(tmp_path / "other")], check=True)
    return RepoBuilder(tmp_path / "other")


def share_at(origin: RepoBuilder) -> float:
    origin.git("pull", "--quiet")
    return shares(origin)[0]


@pytest.mark.long
def test_a_rollback_is_pushed_on_top_of_what_others_pushed(shop: RepoBuilder, origin: RepoBuilder) -> None:
    """Main moves between two looks: by work of others, and by a step that is newer than this clone."""
    begun = look(shop, 0, "--apply", "--push")
    assert (begun.returncode, share_at(origin)) == (0, 5), begun.stderr
    assert "pushed to main" in begun.stderr
    log(shop, "good", 0, 5, n=12_000)
    stepped = look(origin, 8, "--apply", "--push", log=str(shop.path / "logs" / "*.jsonl"))
    assert stepped.returncode == 0, stepped.stdout
    assert "promote" in stepped.stdout, stepped.stdout
    origin.write({"README.md": "Another's work."}).commit()
    origin.git("push", "--quiet", "origin", "main")
    assert (share_at(origin), shares(shop)) == (25, [5])
    log(shop, "bad", 8, 25, BAD)
    ended = look(shop, 17, "--apply", "--push")
    assert (ended.returncode, share_at(origin)) == (1, 0), ended.stderr
    assert (origin.path / "README.md").read_text() == "Another's work."
    assert origin.git("log", "-1", "--format=%s") == "Canary in production: roll back"
    reason = origin.git("log", "-1", "--format=%(trailers:key=Reason,valueonly)").strip()
    assert re.match(r"order: Quality: \d.* shown to be worse", reason), reason
    again = look(shop, 18, "--apply", "--push")
    assert (again.returncode, share_at(origin)) == (0, 0), again.stdout


def test_a_rollback_that_cannot_be_pushed_is_an_error_and_no_rollback(
    shop: RepoBuilder, origin: RepoBuilder, tmp_path: Path
) -> None:
    assert look(shop, 0, "--apply", "--push").returncode == 0
    log(shop, "bad", 0, 5, BAD)
    hook = tmp_path / "origin.git" / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho protected\nexit 1\n")
    hook.chmod(0o755)
    outputs = tmp_path / "outputs"
    ended = look(shop, 9, "--apply", "--push", GITHUB_OUTPUT=str(outputs))
    assert ended.returncode == 4
    assert "protected" in ended.stderr
    assert not outputs.exists()
    assert share_at(origin) == 5


def test_a_push_without_apply_is_a_mistake(shop: RepoBuilder) -> None:
    assert look(shop, 0, "--push").returncode == 2
