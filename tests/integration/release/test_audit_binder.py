"""`promptci audit record`, `export` and `explain` on the whole life of a version, and what nobody may smuggle in."""

import csv
import hashlib
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from support import audited
from support.audited import AuditedShop
from support.hostile_payloads import XSS
from support.released import run

from promptci.report.binder.document import TITLES

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> AuditedShop:
    return audited.shop(tmp_path_factory.mktemp("audited"))


@pytest.fixture(scope="module")
def binder(shop: AuditedShop) -> dict[str, Any]:
    exported: dict[str, Any] = export(shop, "json")
    return exported


def export(shop: AuditedShop, output_format: str, *words: str) -> Any:
    text = export_text(shop, output_format, *words)
    return json.loads(text) if output_format == "json" else text


def export_text(shop: AuditedShop, output_format: str, *words: str) -> str:
    path = shop.evidence.parent / f"binder.{output_format}"
    options = ["--evidence", str(shop.evidence), "--format", output_format, "--out", str(path)]
    done = run(shop.builder, "audit", "export", *options, *words)
    assert done.code == 0, done.text
    return path.read_bytes().decode()


def facts(change: dict[str, Any], key: str) -> dict[str, list[str]]:
    (point,) = [point for point in change["points"] if point["key"] == key]
    return {fact["label"]: fact["values"] for fact in point["facts"]}


def kinds(shop: AuditedShop) -> list[str]:
    return [entry["what"] for entry in run(shop.builder, "audit", "log", "--json").value["entries"][::-1]]


def test_a_dry_export_writes_nothing_and_names_the_file(shop: AuditedShop, tmp_path: Path) -> None:
    path = tmp_path / "binder.csv"
    words = ["audit", "export", "--format", "csv", "--out", str(path)]
    dry = run(shop.builder, *words, "--dry-run", "--json")
    assert (dry.code, dry.value["files"], dry.value["dry_run"], path.exists()) == (0, [str(path)], True, False)
    assert f"would write: {path}" in run(shop.builder, *words, "--dry-run").text
    written = run(shop.builder, *words, "--json")
    assert (written.value["files"], path.exists()) == ([str(path)], True)


def test_a_dry_statement_writes_nothing(shop: AuditedShop, tmp_path: Path) -> None:
    report = str(next(iter(sorted(shop.evidence.glob("*.json")))))
    words = ["audit", "statement", "--report", report, "--out", str(tmp_path)]
    dry = run(shop.builder, *words, "--dry-run", "--json")
    assert list(tmp_path.iterdir()) == []
    written = run(shop.builder, *words, "--json")
    assert written.value["files"] == dry.value["files"]
    assert sorted(map(str, tmp_path.iterdir())) == sorted(written.value["files"])


def test_every_decision_is_in_the_log_once(shop: AuditedShop) -> None:
    expected = ["log-began", "released", "deployed", "released", "deployed", "promoted", "rolled-back"]
    expected += ["goldens-changed", "config-changed", "goldens-changed", "config-changed"]
    expected += ["blocked", "overridden", "checked", "drift-opened", "alert-opened"]
    assert sorted(kinds(shop)) == sorted(expected)
    reports = [word for path in shop.evidence.glob("*.json") for word in ("--report", str(path))]
    assert run(shop.builder, "audit", "record", *reports, "--json").value["added"] == []


def test_a_check_and_an_override_say_who_and_on_what(shop: AuditedShop) -> None:
    listed = run(shop.builder, "audit", "log", "--what", "overridden", "--what", "checked", "--json").value["entries"]
    checked, overridden = listed
    assert (overridden["by"]["actor"], overridden["by"]["actor_id"]) == ("dora", 5)
    assert (overridden["why"], overridden["rules"]) == ("known outage", ["quality"])
    assert overridden["approved"][0]["role"] == "maintain"
    assert overridden["change"]["commit"] == overridden["approved"][0]["commit"]
    assert checked["approved"] == [
        {"login": "ann", "id": 98712, "role": "medical-review", "at": "2026-01-02T03:20:00Z", "commit": shop.head}
    ]
    assert checked["policy"] == f"sha256:{digest_of(shop, f'{shop.base}:promptci.yml')}"
    assert (checked["goldens"], checked["verdict"], checked["tool"]) == (
        "9a" * 32,
        "pass",
        {"promptci": "1.0.0", "action": None},
    )
    assert [file["name"] for file in checked["evidence"]] == ["report.json"]


def digest_of(shop: AuditedShop, name: str) -> str:
    return hashlib.sha256(f"{shop.builder.git('show', name)}\n".encode()).hexdigest()


def test_a_change_of_the_rules_says_before_after_and_pull_request(shop: AuditedShop) -> None:
    _, goldens, _, config = [
        entry
        for kind in ("goldens-changed", "config-changed")
        for entry in run(shop.builder, "audit", "log", "--what", kind, "--json").value["entries"][::-1]
    ]
    before = digest_of(shop, f"{shop.base}:goldens/order.jsonl")
    assert goldens["prompt"] == "order"
    assert goldens["change"]["pull_request"] == 240
    ((path, old, new),) = [tuple(file.values()) for file in goldens["change"]["files"]]
    assert (path, old, new) == ("goldens/order.jsonl", before, digest_of(shop, "HEAD:goldens/order.jsonl"))
    assert config["change"]["files"][0]["path"] == "promptci.yml"
    assert config["policy"] == f"sha256:{digest_of(shop, 'HEAD:promptci.yml')}"


def test_every_question_of_an_auditor_is_in_the_binder_of_each_change(binder: dict[str, Any]) -> None:
    assert [change["version"][:6] for change in binder["changes"]][:2] == ["v1.0.0", "v1.1.0"]
    for change in binder["changes"]:
        assert [point["key"] for point in change["points"]] == list(TITLES)
        assert all(point["facts"] for point in change["points"])


def test_the_answers_about_a_version_are_those_of_log_tag_and_report(binder: dict[str, Any]) -> None:
    change = binder["changes"][1]
    assert (change["outcome"], change["verdict"], change["approved_by"]) == ("rolled back", "pass", ["ann"])
    assert facts(change, "who")["Approved by somebody else than the proposer"] == ["yes: ann"]
    assert "medical-review" in facts(change, "who")["Approved by, in which role"][0]
    assert facts(change, "criteria")["Limits"] == ["mode: block", "max_drop: 0.05", "min_quality: no limit"]
    assert facts(change, "criteria")["Fixed before the test"][0].startswith("yes: the base commit")
    assert facts(change, "test-data")["Digest of the golden cases"] == ["9a" * 32]
    results = facts(change, "results")
    assert "90% interval −1.9 points to +1.1 points" in results["Quality, with its uncertainty"][0]
    assert results["Failed: right before, wrong now"] == ["none"]
    assert results["Failed before and now, or no answer"] == ["two-numbers"]
    shares = facts(change, "deployments")["Share of the requests over time"]
    assert [re.findall(r"at \d+%", share) for share in shares] == [["at 5%"], ["at 100%"], ["at 100%"]]
    assert "rolled-back to v1.0.0" in shares[-1]
    assert "12 points worse" in facts(change, "monitoring")["Drift"][0]
    assert "complaints" in facts(change, "rollback")["Used"][0]
    assert facts(change, "risk")["Risk class of the prompt"] == []
    texts = [line["text"] for line in change["diff"] if line["kind"] in {"added", "removed"}]
    assert texts == ['    content: "Copy the order number."', '    content: "Copy only the number."']


def test_a_block_that_was_overridden_is_a_change_of_its_own(binder: dict[str, Any]) -> None:
    change = binder["changes"][2]
    assert (change["outcome"], change["approved_by"]) == ("blocked, overridden", [])
    exceptions = facts(change, "exceptions")
    (override,) = exceptions["Overridden: who, in which role, what, why"]
    assert all(word in override for word in ("dora (id 5)", "maintain", "quality", "known outage"))
    assert facts(change, "results")["Failed: right before, wrong now"] == ["late-parcel"]


def test_without_the_reports_what_is_not_known_stands_as_not_recorded(shop: AuditedShop) -> None:
    path = shop.evidence.parent / "bare.html"
    assert run(shop.builder, "audit", "export", "--out", str(path)).code == 0
    page = path.read_text(encoding="utf-8")
    assert [page.count(f'data-point="{key}"') for key in TITLES] == [3] * len(TITLES)
    assert page.count(">not recorded<") > 30


def test_a_period_and_a_prompt_choose_whole_stories(shop: AuditedShop) -> None:
    since = export(shop, "json", "--since", "2026-01-20")
    assert [change["version"] for change in since["changes"]] == ["v1.0.0", "v1.1.0"]  # an alert, a drift
    assert len(since["changes"][1]["entries"]) > 1
    nothing = run(shop.builder, "audit", "export", "--prompt", "other")
    assert (nothing.code, "No entry of the audit log fits" in nothing.text) == (2, True)
    wrong = run(shop.builder, "audit", "export", "--since", "March")
    assert (wrong.code, "`March` is not a day" in wrong.text) == (2, True)


def test_the_table_has_each_answer_and_no_formula(shop: AuditedShop) -> None:
    rows = list(csv.DictReader(io.StringIO(export_text(shop, "csv").removeprefix("\ufeff"))))
    assert {row["question"] for row in rows if row["version"]} == {*TITLES.values(), "Line of the log"}
    assert {row["recorded"] for row in rows} == {"yes", "no"}


def test_the_story_is_told_in_order_with_its_evidence(shop: AuditedShop) -> None:
    done = run(shop.builder, "audit", "explain", "order@v1.1.0")
    assert done.code == 0
    lines = done.text.splitlines()
    assert lines[0] == "order v1.1.0: rolled back"
    words = [
        "bob proposed it in pull request 247",
        "released it",
        "for 5%",
        "raised it to 100%",
        "back from it to v1.0.0",
    ]
    places = [next(number for number, line in enumerate(lines) if word in line) for word in words]
    assert places == sorted(places)
    assert "tag prompts/order/v1.1.0" in done.text
    assert "ann (as medical-review) approved it" in done.text
    unknown = run(shop.builder, "audit", "explain", "order@v9.0.0")
    assert (unknown.code, "It knows v1.0.0, v1.1.0" in unknown.text) == (2, True)


@pytest.mark.parametrize(("name", "decisions"), [("DORA", {"overridden"}), ("98712", {"released", "checked"})])
def test_the_log_is_filtered_by_who_had_a_part_in_it(shop: AuditedShop, name: str, decisions: set[str]) -> None:
    entries = run(shop.builder, "audit", "log", "--by", name, "--json").value["entries"]
    assert decisions <= {entry["what"] for entry in entries}


def test_hostile_texts_reach_neither_page_nor_spreadsheet(shop: AuditedShop, tmp_path: Path) -> None:
    shop = audited.copy(shop, tmp_path)
    texts = [*XSS, "=cmd|' /C calc'!A0", "+1", "@SUM(A1)", "\u202eevil"]
    audited.note(shop.builder, *({"what": "alert-opened", "prompt": "order", "why": text} for text in texts))
    page = export_text(shop, "html")
    assert "<script>alert" not in page
    assert re.findall(r"<(?:img|iframe|svg onload|base|form|link|meta http-equiv=refresh)", page) == []
    assert "\u202e" not in page
    rows = csv.reader(io.StringIO(export_text(shop, "csv").removeprefix("\ufeff")))
    assert [cell for row in rows for cell in row if cell[:1] in {"=", "+", "@"}] == []


def test_a_canary_that_is_held_is_recorded_once_for_each_reason(shop: AuditedShop, tmp_path: Path) -> None:
    shop = audited.copy(shop, tmp_path)

    def look(rule: str, at: str) -> list[str]:
        row = {**ROW, "findings": [{"rule": rule, "text": f"because of {rule}", "facts": {}}]}
        path = audited.write_report(tmp_path / f"{at[:13]}.json", {**CANARY, "at": at, "prompts": [row]})
        added: list[str] = run(shop.builder, "audit", "record", "--canary", str(path), "--dry-run", "--json").value[
            "added"
        ]
        assert run(shop.builder, "audit", "record", "--canary", str(path)).code == 0
        return added

    assert look("canary-outage", "2026-01-03T00:00:00Z") == ["held order v1.2.0 in production"]
    assert look("canary-outage", "2026-01-03T01:00:00Z") == []
    assert look("canary-unscored", "2026-01-03T02:00:00Z") == ["held order v1.2.0 in production"]


ARM: dict[str, Any] = {"requests": 1, "users": 1, "answered": 1, "unscored": 0, "newest": None, "new_users": 0}
ARM |= {"models": []}
ARM |= {"response_models": [], "output_tokens": None}
ROW: dict[str, Any] = {
    "prompt": "order",
    "stable": "v1.1.0",
    "canary": "v1.2.0",
    "outcome": "hold",
    "share": 5,
    "new_share": 5,
    "since": None,
    "arms": {"stable": ARM, "canary": ARM},
    "srm_p": 1,
    "unscored_p": 1,
    "models_p": 1,
    "users_in_both_arms": 0,
    "keyed": 0,
    "wrong_arms": 0,
    "not_counted": {"other_versions": 0, "other_shares": 0, "too_recent": 0, "in_future": 0},
    "metrics": [],
    "evidence": [],
    "proposal": None,
}
CANARY = {
    "schema": "promptci/canary/v1",
    "environment": "production",
    "outcome": "hold",
    "exit_code": 0,
    "applied": False,
    "log": {"files": 1, "lines": 1, "invalid_lines": 0, "repeated_lines": 0, "late_lines": 0},
}


def test_a_report_of_somebody_hostile_is_recorded_in_bounds(shop: AuditedShop, tmp_path: Path) -> None:
    shop = audited.copy(shop, tmp_path)
    long = "x\nn\u202e" * 5000
    value = json.loads((shop.evidence / "blocked.json").read_text())
    value["head"]["sha"] = value["base"]["sha"] = long
    value["override"] |= {"by": long, "reason": long, "head": long, "rules": [long] * 500}
    value["prompts"][0] |= {"name": long, "sentence": long, "head_fingerprint": long, "goldens": long}
    path = audited.write_report(tmp_path / "hostile.json", value)
    done = run(shop.builder, "audit", "record", "--report", str(path))
    assert done.code == 0, done.text
    entries = run(shop.builder, "audit", "log", "--json").value["entries"][:2]
    assert {entry["what"] for entry in entries} == {"blocked", "overridden"}
    assert max(len(json.dumps(entry)) for entry in entries) < 40_000
    assert "\u202e" not in run(shop.builder, "audit", "log").text
    assert run(shop.builder, "audit", "verify").code == 0


def test_a_statement_is_written_beside_the_report(shop: AuditedShop, tmp_path: Path) -> None:
    report = str(shop.evidence / "passed.json")
    done = run(shop.builder, "audit", "statement", "--report", report, "--out", str(tmp_path))
    assert done.code == 0
    statement = json.loads((tmp_path / "statement.json").read_text())
    assert statement["predicate"] == json.loads((tmp_path / "predicate.json").read_text())
    policy = digest_of(shop, f"{shop.base}:promptci.yml")
    assert statement["predicate"]["configuration"][0] == {"name": "promptci.yml", "digest": {"sha256": policy}}
    sums = (tmp_path / "subjects.txt").read_text().splitlines()
    assert [line.split("  ")[1] for line in sums] == ["prompt:order", "report.json"]
    value = json.loads((shop.evidence / "passed.json").read_text())
    broken = audited.write_report(tmp_path / "error.json", {**value, "verdict": "error"})
    done = run(shop.builder, "audit", "statement", "--report", str(broken), "--out", str(tmp_path))
    assert (done.text, (tmp_path / "statement.json").exists()) == (
        "nothing to attest: the run's verdict is error\n",
        False,
    )
