"""The in-toto statement of a run: its result, its subjects, and each case in the list where it belongs."""

import json
from typing import Any

import pytest
from support.audited import checked_prompt, report_of

from promptci.audit.report_record import RecordedReport
from promptci.audit.statement import FileDigest, build_statement

BEFORE, AFTER, DIGEST = "b" * 64, "a" * 64, "d" * 64


def statement_of(verdict: str, **options: Any) -> dict[str, Any] | None:
    value = report_of([checked_prompt((BEFORE, AFTER), verdict)], **options)
    report = RecordedReport.parse(json.dumps(value), "report.json")
    return build_statement(report, DIGEST, [FileDigest("promptci.yml", "c" * 64)])


def test_the_whole_statement_of_a_failed_run() -> None:
    assert statement_of("fail", head={"rev": "x", "sha": "6" * 40}, repository="example/shop") == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {"name": "prompt:order", "digest": {"sha256": AFTER}},
            {"name": "report.json", "digest": {"sha256": DIGEST}},
            {"name": "commit:example/shop", "digest": {"gitCommit": "6" * 40}},
        ],
        "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
        "predicate": {
            "result": "FAILED",
            "configuration": [
                {"name": "promptci.yml", "digest": {"sha256": "c" * 64}},
                {"name": "goldens:order", "digest": {"sha256": "9a" * 32}},
                {"name": "judge:order", "digest": {"sha256": "71" * 32}},
            ],
            "url": "https://github.com/example/shop/actions/runs/7",
            "passedTests": ["order/plain", "order/no-number"],
            "warnedTests": ["order/two-numbers"],
            "failedTests": ["order/late-parcel"],
        },
    }


@pytest.mark.parametrize(("verdict", "result"), [("pass", "PASSED"), ("inconclusive", "WARNED"), ("fail", "FAILED")])
def test_each_verdict_has_its_result(verdict: str, result: str) -> None:
    statement = statement_of(verdict)
    assert statement is not None
    assert statement["predicate"]["result"] == result
    assert bool(statement["predicate"]["failedTests"]) == (verdict == "fail")


@pytest.mark.parametrize("verdict", ["error", "no-change"])
def test_a_run_that_could_not_evaluate_or_tested_nothing_attests_nothing(verdict: str) -> None:
    assert statement_of(verdict) is None


def test_an_excluded_case_is_no_test() -> None:
    prompt = checked_prompt((BEFORE, AFTER))
    prompt["case_details"][0]["excluded_reason"] = "quarantined"
    report = RecordedReport.parse(json.dumps(report_of([prompt])), "report.json")
    statement = build_statement(report, DIGEST, [])
    assert statement is not None
    assert "order/plain" not in json.dumps(statement["predicate"])
