"""`promptci audit`, in real repositories: the log of releases and deployments, and what somebody did to it."""

import hashlib
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fakes.repo import RepoBuilder
from support import released
from support.processes import LONGEST_S
from support.released import run

from promptci.audit import log
from promptci.audit.chain import LogHead
from promptci.audit.entry import Actor
from promptci.git.data_branch import DataBranch
from promptci.registry import tags

ANN = Actor(kind="person", actor="ann", actor_id=98712)
MARCH = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RepoBuilder:
    for name, value in released.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return released.shop(tmp_path)


def note(builder: RepoBuilder, *entries: dict[str, Any], at: datetime = MARCH) -> LogHead:
    head = log.append_entries(DataBranch(root=builder.path), lambda _: entries, now=at, by=ANN)
    assert head is not None
    return head


def released_entry(builder: RepoBuilder, version: str, **options: Any) -> dict[str, Any]:
    (release,) = [known for known in tags.list_releases(builder.path)["order"] if str(known.number) == version]
    to = {"version": version, "fingerprint": release.fingerprint, "share": 0}
    return {"what": "released", "prompt": "order", "to": to, "why": "the test says so", **options}


def test_a_log_is_begun_listed_and_verified(shop: RepoBuilder) -> None:
    version = released.release(shop)
    note(shop, released_entry(shop, version), {"what": "deployed", "prompt": "order", "environment": "production"})
    listed = run(shop, "audit", "log")
    assert (listed.code, listed.text.splitlines()) == (
        0,
        [
            "3  2026-03-01T14:00:00Z  ann: deployed order in production",
            "2  2026-03-01T14:00:00Z  ann: released order; v1.0.0; the test says so",
            "1  2026-03-01T14:00:00Z  ann: log-began",
        ],
    )
    verified = run(shop, "audit", "verify")
    assert verified.code == 0
    assert "The chain of 3 entries is whole" in verified.text
    assert "a log cut at its end would not be noticed" in verified.text
    assert "1 version compared with what its tag holds" in verified.text


def test_entries_are_chosen_by_prompt_environment_kind_and_day(shop: RepoBuilder) -> None:
    note(shop, {"what": "deployed", "prompt": "order", "environment": "production"})
    note(shop, {"what": "rolled-back", "prompt": "order", "environment": "staging"}, at=MARCH.replace(month=4))
    chosen = [
        ("--prompt", "order", "--env", "staging"),
        ("--what", "rolled-back"),
        ("--since", "2026-03-02"),
    ]
    for words in chosen:
        assert [entry["n"] for entry in run(shop, "audit", "log", *words, "--json").value["entries"]] == [3], words
    assert [entry["n"] for entry in run(shop, "audit", "log", "--until", "2026-03-01", "--json").value["entries"]] == [
        2,
        1,
    ]
    nothing = run(shop, "audit", "log", "--prompt", "other")
    assert (nothing.code, "No entry of the audit log fits" in nothing.text) == (2, True)
    assert shop.git("ls-tree", "-r", "--name-only", "promptci/history").splitlines() == [
        "FORMAT",
        "audit/2026-03.jsonl",
        "audit/2026-04.jsonl",
    ]


def test_a_clock_that_is_behind_does_not_break_the_order(shop: RepoBuilder) -> None:
    note(shop, {"what": "held"}, at=MARCH.replace(month=4))
    note(shop, {"what": "held"}, at=MARCH)
    assert run(shop, "audit", "verify", "--json").value["fault"] is None


@pytest.mark.parametrize("command", ["log", "verify"])
def test_without_a_log_nothing_is_verified(shop: RepoBuilder, command: str) -> None:
    done = run(shop, "audit", command)
    assert (done.code, "There is no audit log here" in done.text) == (2, True)


def tamper(builder: RepoBuilder, before: bytes, after: bytes) -> None:
    path = DataBranch(root=builder.path).files().list_paths("audit")[-1]
    branch = DataBranch(root=builder.path)
    content = branch.files().read(path) or b""
    assert before in content
    branch.append(lambda _: {path: content.replace(before, after)}, "nothing to see")


def test_an_edited_entry_is_named(shop: RepoBuilder) -> None:
    note(shop, {"what": "held", "why": "96 against 82"}, {"what": "deployed"})
    tamper(shop, b"82", b"95")
    done = run(shop, "audit", "verify")
    assert done.code == 1
    assert done.text.startswith("Entry 2 was edited: entry 3 names ")
    assert "(audit/2026-03.jsonl:2)" in done.text


def test_a_log_that_was_cut_is_shown_by_a_tag_and_by_a_commit(shop: RepoBuilder) -> None:
    head = note(shop, {"what": "held"}, {"what": "deployed"})
    last = (DataBranch(root=shop.path).files().read("audit/2026-03.jsonl") or b"").splitlines()[-1]
    trailers = f"deploy\n\nReason: because\nAudit-head: {head}\n"
    shop.write({"deployments/production.yml": "version: 1\n"}).commit(trailers)
    assert run(shop, "audit", "verify", "--json").value["last_anchored"] == 3
    shop.git("tag", "--annotate", f"--message=order v1.0.0\n\nAudit-head: {head}", "prompts/order/v1.0.0")
    assert run(shop, "audit", "verify", "--json").value["anchors"] == 2
    tamper(shop, last + b"\n", b"")
    for _ in range(2):
        fault = run(shop, "audit", "verify", "--json").value["fault"]
        assert (fault["kind"], fault["n"]) == ("truncated", 3)
        shop.git("tag", "--delete", "prompts/order/v1.0.0") if shop.git("tag") else None


def test_an_anchor_in_another_commit_or_of_another_form_is_none(shop: RepoBuilder) -> None:
    note(shop, {"what": "held"})
    for value in ("99 " + "f" * 64, "0 " + "f" * 64, "1 f"):
        shop.write({"README.md": value}).commit(f"edit\n\nAudit-head: {value}\n")
    shop.git("tag", "--annotate", "--message=x\n\nAudit-head: 1 f\n", "prompts/order/v1.0.0")
    assert run(shop, "audit", "verify", "--json").value["anchors"] == 0


def test_a_version_that_is_not_what_the_log_says_is_named(shop: RepoBuilder) -> None:
    version = released.release(shop)
    entry = released_entry(shop, version)
    note(shop, entry, {**entry, "to": {**entry["to"], "fingerprint": "f" * 64}})
    note(shop, {**entry, "to": {**entry["to"], "version": "v9.0.0"}})
    done = run(shop, "audit", "verify")
    assert done.code == 1
    assert f"Entry 3, order {version}: the tag says fingerprint" in done.text
    assert "Entry 4, order v9.0.0: no tag of this release is here" in done.text


def test_a_moved_tag_is_named(shop: RepoBuilder) -> None:
    version = released.release(shop)
    note(shop, released_entry(shop, version))
    message = shop.git("tag", "--list", "--format=%(contents)", "prompts/order/v1.0.0")
    shop.write({released.PROMPT: released.prompt("Something else.")}).commit()
    shop.git("tag", "--force", "--annotate", "--cleanup=verbatim", f"--message={message}", "prompts/order/v1.0.0")
    done = run(shop, "audit", "verify")
    assert (done.code, "the tag was moved or the file rewritten" in done.text) == (1, True)


def test_evidence_is_compared_where_it_is_at_hand(shop: RepoBuilder, tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "report.json").write_bytes(b"{}")
    (folder / "canary.json").write_bytes(b"changed")
    files = [
        {"name": "report.json", "sha256": hashlib.sha256(b"{}").hexdigest()},
        {"name": "canary.json", "sha256": hashlib.sha256(b"original").hexdigest()},
        {"name": "elsewhere.json", "sha256": "0" * 64},
    ]
    note(shop, {"what": "held", "evidence": files})
    done = run(shop, "audit", "verify", "--evidence", str(folder))
    assert done.code == 1
    assert f"Entry 2: canary.json in {folder} is not the file that the log names." in done.text
    assert "1 of 3 evidence files were at hand" in done.text


def test_a_line_of_another_form_is_a_problem_and_stops_new_entries(shop: RepoBuilder) -> None:
    note(shop, {"what": "held"})
    tamper(shop, b'"what":"held"', b'"what":"hold"')
    assert run(shop, "audit", "verify").code == 1
    listed = run(shop, "audit", "log")
    assert (listed.code, "audit/2026-03.jsonl:2" in listed.text) == (1, True)
    with pytest.raises(Exception, match="not an entry of the audit log"):
        note(shop, {"what": "held"})


def test_the_log_of_a_clone_is_its_remotes(shop: RepoBuilder) -> None:
    note(shop, {"what": "held"})
    (clone,) = released.with_remote(shop, "clone")
    shop.git("push", "--quiet", "origin", "promptci/history")
    assert run(clone, "audit", "verify").code == 2
    subprocess.run(["git", "-C", str(clone.path), "fetch", "--quiet", "origin"], check=True)
    assert run(clone, "audit", "verify").code == 0


def test_releases_and_deployments_are_recorded_once(shop: RepoBuilder) -> None:
    released.release(shop)
    released.release(shop, "Copy only the number.")
    assert run(shop, "deploy", "order@v1.0.0", "--env", "production", "--because", "first").code == 0
    assert run(shop, "deploy", "order@v1.1.0", "--env", "production", "--canary").code == 0
    assert run(shop, "deploy", "order@v1.1.0", "--env", "production").code == 0
    assert run(shop, "rollback", "order", "--to", "v1.0.0", "--because", "complaints").code == 0

    planned = run(shop, "audit", "record", "--dry-run", "--json").value
    assert (len(planned["added"]), planned["head"], planned["dry_run"]) == (6, None, True)
    assert run(shop, "audit", "log").code == 2  # a dry run writes nothing
    recorded = run(shop, "audit", "record")
    assert recorded.code == 0, recorded.text
    assert "6 entries added to the audit log" in recorded.text

    entries = run(shop, "audit", "log", "--json").value["entries"][::-1]
    assert [(entry["what"], (entry.get("to") or {}).get("version")) for entry in entries] == [
        ("log-began", None),
        ("released", "v1.0.0"),
        ("released", "v1.1.0"),
        ("deployed", "v1.0.0"),
        ("deployed", "v1.1.0"),
        ("promoted", "v1.1.0"),
        ("rolled-back", "v1.0.0"),
    ]
    assert entries[3]["why"] == "first"
    assert (entries[3]["to"]["share"], entries[4]["to"]["share"], entries[5]["to"]["share"]) == (100, 5, 100)
    assert all(entry["to"]["fingerprint"] for entry in entries[1:])
    assert entries[1]["change"]["author"] == "Ann <ann@example.com>"
    assert run(shop, "audit", "record").text == f"0 entries added to the audit log; its head is {_head(shop)}\n"
    assert run(shop, "audit", "verify", "--json").value["versions_checked"] == 2


def test_a_canary_that_stops_at_no_share_was_rolled_back_to_the_version_that_all_get_now(shop: RepoBuilder) -> None:
    released.release(shop)
    released.release(shop, "Copy only the number.")
    assert run(shop, "deploy", "order@v1.0.0", "--env", "production", "--because", "first").code == 0
    assert run(shop, "deploy", "order@v1.1.0", "--env", "production", "--canary").code == 0
    file = shop.path / released.PRODUCTION
    file.write_text(file.read_text().replace("share: 5", "share: 0"))
    shop.commit("Stop the canary")
    assert run(shop, "audit", "record").code == 0

    (entry,) = run(shop, "audit", "log", "--what", "rolled-back", "--json").value["entries"]
    assert (entry["from"]["version"], entry["from"]["share"]) == ("v1.1.0", 5)
    assert (entry["to"]["version"], entry["to"]["share"]) == ("v1.0.0", 100)
    assert run(shop, "audit", "verify").code == 0
    explanation = run(shop, "audit", "explain", "order@v1.1.0").text
    assert explanation.startswith("order v1.1.0: rolled back\n")
    assert "rolled production back from it to v1.0.0" in explanation
    assert run(shop, "audit", "export", "--format", "json", "--out", "binder.json").code == 0
    binder = json.loads((shop.path / "binder.json").read_text())
    (change,) = [change for change in binder["changes"] if change["version"] == "v1.1.0"]
    facts = {fact["label"]: fact["values"] for point in change["points"] for fact in point["facts"]}
    assert "none in the log" not in facts["Rolled back"] + facts["Used"] + facts["What was done"]
    assert "rolled-back to v1.0.0 in production at 100%, before: v1.1.0" in facts["Share of the requests over time"][-1]


def test_a_prompt_that_was_taken_out_of_an_environment_is_not_said_to_run_there(shop: RepoBuilder) -> None:
    released.release(shop)
    assert run(shop, "deploy", "order@v1.0.0", "--env", "production", "--because", "first").code == 0
    shop.write({released.PRODUCTION: "version: 1\nprompts: {}\n"}).commit("Nothing is deployed any more")
    assert "added: deployed order nothing in production\n" in run(shop, "audit", "record").text

    line = run(shop, "audit", "log", "--what", "deployed").text.splitlines()[0]
    assert "deployed order in production; v1.0.0 → nothing; Nothing is deployed any more" in line
    explanation = run(shop, "audit", "explain", "order@v1.0.0").text
    assert explanation.startswith("order v1.0.0: released, no longer deployed\n")
    assert "took the prompt out of production: Nothing is deployed any more" in explanation
    assert run(shop, "audit", "export", "--format", "json", "--out", "binder.json").code == 0
    (change,) = json.loads((shop.path / "binder.json").read_text())["changes"]
    facts = {fact["label"]: fact["values"] for point in change["points"] for fact in point["facts"]}
    assert "taken out of use in production, before: v1.0.0" in facts["Share of the requests over time"][-1]


def test_a_line_says_who_did_it_and_when_and_who_recorded_it_later(shop: RepoBuilder) -> None:
    released.release(shop)
    note(shop, {"what": "config-changed", "change": {"author": "Ann <a@b.c>", "at": "2026-02-01T08:00:00Z"}})
    line = run(shop, "audit", "log", "--what", "config-changed").text.strip()
    assert line == "2  2026-02-01T08:00:00Z  Ann: config-changed; recorded 2026-03-01T14:00:00Z by ann"


def _head(shop: RepoBuilder) -> str:
    return str(run(shop, "audit", "verify", "--json").value["head"])


def test_the_pull_request_and_its_approvals_are_kept(shop: RepoBuilder) -> None:
    words = ["--pull-request", "247", "--proposed-by", "bob", "--approved-by", "ann", "--approved-by", "cem"]
    assert run(shop, "release", "order", "--because", "hotfix", *words).code == 0
    assert run(shop, "audit", "record").code == 0
    (entry,) = run(shop, "audit", "log", "--what", "released", "--json").value["entries"]
    assert (entry["why"], entry["change"]["pull_request"], entry["change"]["proposed_by"]) == ("hotfix", 247, "bob")
    assert [approval["login"] for approval in entry["approved"]] == ["ann", "cem"]


def test_a_workflow_records_its_run(shop: RepoBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"ACTIONS": "true", "ACTOR": "ann", "ACTOR_ID": "98712", "EVENT_NAME": "push", "RUN_ID": "7"}
    for name, value in {**environ, "SERVER_URL": "https://github.com", "REPOSITORY": "example/shop"}.items():
        monkeypatch.setenv(f"GITHUB_{name}", value)
    released.release(shop)
    assert run(shop, "audit", "record").code == 0
    by = run(shop, "audit", "log", "--json").value["entries"][0]["by"]
    run_url = "https://github.com/example/shop/actions/runs/7"
    assert by == {"kind": "workflow", "actor": "ann", "actor_id": 98712, "event": "push", "run": run_url}


@pytest.mark.long
def test_two_who_record_at_once_add_nothing_twice(shop: RepoBuilder) -> None:
    released.release(shop)
    clones = released.with_remote(shop, "ann", "bob")
    processes = [released.start(clone, ["audit", "record"]) for clone in clones]
    outputs = [process.communicate(timeout=LONGEST_S) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    subprocess.run(["git", "-C", str(shop.path), "fetch", "--quiet", "origin"], check=True)
    entries = run(shop, "audit", "log", "--json").value["entries"]
    assert [entry["what"] for entry in entries] == ["released", "log-began"]
    assert run(shop, "audit", "verify").code == 0


def test_a_damaged_log_gets_no_new_entry(shop: RepoBuilder) -> None:
    released.release(shop)
    run(shop, "audit", "record")
    tamper(shop, b'"what":"released"', b'"what":"freed"')
    done = run(shop, "audit", "record")
    assert (done.code, "audit/" in done.text) == (4, True)


def test_a_log_says_that_it_was_mended_only_when_it_is_whole_again(shop: RepoBuilder) -> None:
    note(shop, {"what": "held", "why": "82"}, {"what": "deployed"})
    tamper(shop, b"82", b"95")
    refused = run(shop, "audit", "record", "--mended", "restored")
    assert (refused.code, "entry 2 was edited" in refused.text) == (4, True)
    tamper(shop, b"95", b"82")
    for added in (["log-mended: restored"], []):
        assert run(shop, "audit", "record", "--mended", "restored", "--json").value["added"] == added
    assert run(shop, "audit", "verify").code == 0
