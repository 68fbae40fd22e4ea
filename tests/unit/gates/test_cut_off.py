"""Answers that ended before they were complete, of which an assertion may see only a beginning that fits."""

import pytest
from support.comparison_notation import comparison, quality_rows

from promptci.config.policy import GatePolicy
from promptci.findings import Finding
from promptci.gates.decide import decide
from promptci.gates.model import GateReport
from promptci.present.finding_text.describe import describe
from promptci.report.text import verdict_text
from promptci.runs.prompt_plan import Status
from promptci.verdict import Verdict

HALF = "length,stop"


def findings(report: GateReport) -> list[Finding]:
    return [finding for run in report.prompts for finding in run.findings if finding.rule == "cut-off"]


def test_a_version_that_is_cut_off_every_time_does_not_pass() -> None:
    report = decide([comparison(quality_rows(right=60), finish=("stop", "length"))], GatePolicy())

    assert report.verdict is Verdict.INCONCLUSIVE
    assert verdict_text.sentence(report.prompts[0]) == (
        "Has 60 of 60 answers cut off by the limit of tokens (0 of 60 before the change)."
    )
    (finding,) = findings(report)
    assert "Raise `maxTokens`" in describe(finding).text


def test_a_version_that_is_cut_off_at_times_is_remarked_upon() -> None:
    report = decide([comparison(quality_rows(right=60), finish=("stop", HALF))], GatePolicy())

    (finding,) = findings(report)
    assert (report.verdict, finding.verdict) == (Verdict.PASS, Verdict.NO_CHANGE)
    assert describe(finding).text.startswith("Has 30 of 60 answers cut off by the limit of tokens")


@pytest.mark.parametrize("finish", [("length", "length"), ("stop", "stop"), ("length", "stop"), (HALF, HALF), None])
def test_a_change_that_cuts_off_no_more_answers_is_not_remarked_upon(finish: tuple[str, str] | None) -> None:
    assert findings(decide([comparison(quality_rows(right=60), finish=finish)], GatePolicy())) == []


def test_a_regression_of_answers_that_are_cut_off_stays_a_regression() -> None:
    report = decide([comparison(quality_rows(right=20, broken=40), finish=("stop", "length"))], GatePolicy())

    assert report.verdict is Verdict.FAIL
    assert findings(report)


def test_answers_that_a_content_filter_ended_are_counted_alike() -> None:
    report = decide([comparison(quality_rows(right=60), finish=("stop", "content_filter"))], GatePolicy())

    assert report.verdict is Verdict.INCONCLUSIVE
    assert "content filter" in describe(findings(report)[0]).text


def test_a_new_prompt_that_is_cut_off_is_remarked_upon() -> None:
    report = decide([comparison("a - 1\nb - 1", status=Status.ADDED, finish=("stop", "length"))], GatePolicy())

    (finding,) = findings(report)
    assert describe(finding).text.startswith("Has 2 of 2 answers cut off by the limit of tokens.")
