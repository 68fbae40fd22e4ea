"""junit.xml is well formed whatever stands in it, and counts what it holds."""

import tracemalloc
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from fakes import tools
from support.daily import some_daily
from support.hostile_payloads import XSS, planted, rich
from support.report_situations import SITUATIONS
from support.run_notation import comparison, problem, report
from xmlschema import XMLSchema

from promptci.report.export import junit
from promptci.report.model.report import CaseView, ReportView


def parsed(view: ReportView) -> ET.Element:
    return ET.fromstring("".join(junit.xml_pieces(view)).encode())  # noqa: S314 - what we wrote ourselves


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_file_is_well_formed_and_its_counts_are_right(situation: str) -> None:
    root = parsed(SITUATIONS[situation]())
    counts = [("tests", "testcase"), ("failures", "failure"), ("errors", "error")]
    for holder in (root, *root.iter("testsuite")):
        for key, tag in [*counts, *([("skipped", "skipped")] if holder is not root else [])]:
            assert int(holder.get(key, "-1")) == len(list(holder.iter(tag)))


@pytest.fixture(scope="session")
def schema() -> XMLSchema:
    """Of the format as Jenkins reads it."""
    return XMLSchema(tools.file_of_sdist("pytest", "9.0.2", "testing/example_scripts/junit-10.xsd"))


@pytest.mark.parametrize("situation", some_daily(SITUATIONS, 15))
def test_every_situation_is_valid_by_the_schema(situation: str, schema: XMLSchema) -> None:
    schema.validate("".join(junit.xml_pieces(SITUATIONS[situation]())))


def test_whatever_the_fields_hold_it_is_valid_by_the_schema(schema: XMLSchema) -> None:
    for payload in (*XSS, "\ud800\x00\x0b\x1b[31m", "]]>", "&#0;", "<!DOCTYPE x [<!ENTITY y 'z'>]>&y;"):
        schema.validate("".join(junit.xml_pieces(planted(rich(), payload))))


def test_the_schema_can_refuse(schema: XMLSchema) -> None:
    assert not schema.is_valid('<testsuites skipped="1"/>')


def test_a_run_that_came_to_nothing_is_an_error_and_no_empty_success() -> None:
    root = parsed(report(problems=[problem("provider", "no key")]))
    assert (root.get("tests"), root.get("errors")) == ("1", "1")
    assert [error.get("message") for error in root.iter("error")] == ["no key."]


def test_a_broken_case_is_a_failure_that_says_why() -> None:
    root = parsed(SITUATIONS["regressed"]())
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("60", "27", "0")
    failure = next(root.iter("failure"))
    assert failure.get("message") == "right before, wrong after: equals: expected `4711`"
    assert "before: 4711" in (failure.text or "")


def test_a_case_that_was_wrong_before_is_no_failure() -> None:
    root = parsed(report(comparison("a | Hi | yes | no | no\nb | Hi | yes | yes | no")))
    assert [test.get("name") for test in root.iter("testcase") if test.find("failure") is not None] == ["b"]


def test_a_wrong_answer_of_a_new_prompt_is_a_failure() -> None:
    assert parsed(SITUATIONS["new_prompt"]()).get("failures") == "5"


def test_a_missing_answer_is_an_error_and_one_not_asked_for_is_skipped() -> None:
    root = parsed(report(comparison("a | Hi | yes | yes | !HTTP 503\nb | Hi | yes | yes | -")))
    error = next(root.iter("error"))
    assert error.get("message") == "server: HTTP 503"
    assert (root.get("errors"), next(root.iter("testsuite")).get("skipped")) == ("1", "1")


def test_a_broken_critical_case_is_named_critical() -> None:
    failure = next(parsed(SITUATIONS["critical_broken"]()).iter("failure"))
    assert (failure.get("message") or "").startswith("critical case, right before, wrong after")


def test_characters_that_xml_forbids_are_shown_as_escapes() -> None:
    text = "".join(junit.xml_pieces(SITUATIONS["hostile_text"]()))
    assert "\\x1b[31mred\\x07" in text
    assert "<script>" not in text


def test_latency_is_the_time_of_the_test_in_seconds() -> None:
    assert next(parsed(SITUATIONS["regressed"]()).iter("testcase")).get("time") == "0.488"


class Repeated(Sequence[CaseView]):
    """One case so many times, as a large run's are read from disk one by one."""

    def __init__(self, case: CaseView, count: int) -> None:
        self._case, self._count = case, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        if not 0 <= index < self._count:
            raise IndexError(index)
        return self._case


@pytest.mark.long
def test_the_memory_it_takes_does_not_grow_with_the_number_of_broken_cases() -> None:
    view = SITUATIONS["regressed"]()
    prompt = next(prompt for prompt in view.prompts if any(case.outcome == "broken" for case in prompt.case_details))
    broken = next(case for case in prompt.case_details if case.outcome == "broken")
    long = broken.model_copy(update={"input": "word " * 1000, "expected": "word " * 1000})
    large = view.model_copy(update={"prompts": (prompt.model_copy(update={"case_details": Repeated(long, 4_000)}),)})
    tracemalloc.start()
    try:
        size = sum(map(len, junit.xml_pieces(large)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert size > 8 * 2**20
    assert peak < 6 * 2**20
