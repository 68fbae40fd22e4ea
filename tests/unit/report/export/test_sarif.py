"""results.sarif is valid by the format's own schema, names the same finding alike every time, and is harmless."""

import json
from typing import Any

import pytest
from fakes import tools
from jsonschema import Draft202012Validator
from support.hostile_payloads import XSS, planted, rich
from support.report_situations import SITUATIONS
from support.run_notation import comparison, many, report

from promptci.report.export import sarif
from promptci.report.model.report import ReportView


@pytest.fixture(scope="session")
def validator() -> Draft202012Validator:
    """By the schema that Microsoft's SARIF tools carry."""
    path = tools.file_of_npm("@microsoft/sarif-multitool-linux", "5.7.0", "sarif-2.1.0.json")
    return Draft202012Validator(json.loads(path.read_text(encoding="utf-8-sig")))


def drawn(view: ReportView) -> dict[str, Any]:
    run: dict[str, Any] = json.loads(sarif.render(view))["runs"][0]
    return run


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_situation_is_valid(situation: str, validator: Draft202012Validator) -> None:
    validator.validate(json.loads(sarif.render(SITUATIONS[situation]())))


def test_whatever_the_fields_hold_it_is_valid(validator: Draft202012Validator) -> None:
    for payload in (*XSS, "\ud800\x00\x1b[31m", "{0} [x](javascript:alert(1)) \\[", "%zz ../../etc"):
        validator.validate(json.loads(sarif.render(planted(rich(), payload))))


def test_the_schema_can_refuse(validator: Draft202012Validator) -> None:
    log = json.loads(sarif.render(SITUATIONS["regressed"]()))
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert not validator.is_valid(log)


def test_a_regression_is_told_at_the_prompt_with_each_case_that_broke() -> None:
    run = drawn(SITUATIONS["regressed"]())
    results = run["results"]
    assert [result["ruleId"] for result in results[:1]] == ["regression"]
    assert results[0]["level"] == "error"
    broken = [result for result in results if result["ruleId"] == "broken-case"]
    assert len(broken) == 27
    assert "right before, wrong after. Expected: “4711”. Before: “4711”." in broken[0]["message"]["text"]
    place = broken[0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"].endswith(".prompt.yml")
    assert place["region"]["startLine"] >= 1
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == sorted({result["ruleId"] for result in results})
    assert all(run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] for result in results)


def test_nothing_is_told_of_what_passed() -> None:
    assert drawn(SITUATIONS["all_same"]())["results"] == []
    assert drawn(SITUATIONS["no_prompts_changed"]())["results"] == []


def test_an_undecided_prompt_is_a_warning_and_its_broken_cases_are_notes() -> None:
    results = drawn(SITUATIONS["inconclusive"]())["results"]
    assert {(result["ruleId"], result["level"]) for result in results} == {
        ("cannot-tell", "warning"),
        ("broken-case", "note"),
    }


def test_a_critical_case_is_an_error() -> None:
    levels = {
        sarif_result["ruleId"]: sarif_result["level"]
        for sarif_result in drawn(SITUATIONS["critical_broken"]())["results"]
    }
    assert (levels["critical"], levels["broken-case"]) == ("error", "error")


def test_a_run_that_could_not_be_made_is_no_success() -> None:
    run = drawn(SITUATIONS["all_answers_failed"]())
    assert run["invocations"][0]["executionSuccessful"] is False
    assert run["results"][0]["level"] == "error"


def test_the_same_finding_keeps_its_name_when_its_numbers_change() -> None:
    first, two = (drawn(report(comparison(many(right=31, broken=broken)))) for broken in (26, 27))
    prints = [{r["partialFingerprints"]["promptci/v1"] for r in run["results"]} for run in (first, two)]
    assert prints[0] < prints[1]
    assert len(prints[1]) == 28


def test_a_message_holds_no_link_and_no_placeholder() -> None:
    row = "a | Hi | x | x | {0} [click](javascript:alert(1))"
    result = drawn(report(comparison(row)))["results"]
    text = next(sarif_result["message"]["text"] for sarif_result in result if sarif_result["ruleId"] == "broken-case")
    assert "{{0}}" in text
    assert "\\[click](" in text
