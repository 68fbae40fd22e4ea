"""The gate on versions that a swapped model keeps from being compared, and the remarks about who answered."""

from decimal import Decimal
from typing import Any

import pytest
from support.comparison_notation import comparison, prompt, quality_rows

from promptci.config.policy import GatePolicy, OnInconclusive
from promptci.gates.decide import decide
from promptci.gates.model import GateReport
from promptci.present.finding_text.describe import describe
from promptci.runs.prompt_plan import Status
from promptci.verdict import Verdict

SWAPPED: dict[str, Any] = {"models": ("m-1", "m-2")}


def rules(report: GateReport) -> dict[str, Verdict]:
    return {finding.rule: finding.verdict for d in report.prompts for finding in d.findings}


def text(report: GateReport, rule: str) -> str:
    (result,) = [describe(finding).text for d in report.prompts for finding in d.findings if finding.rule == rule]
    return result


@pytest.mark.parametrize("rows", [quality_rows(right=40, broken=20), quality_rows(right=100)])
def test_what_cannot_be_compared_neither_fails_nor_passes_by_quality(rows: str) -> None:
    report = decide([comparison(rows, **SWAPPED)], GatePolicy())

    assert (report.verdict, report.exit_code) == (Verdict.INCONCLUSIVE, 0)
    assert rules(report)["not-comparable"] is Verdict.INCONCLUSIVE
    assert not {"regression", "not-worse", "cannot-tell"} & rules(report).keys()
    assert text(report, "not-comparable").startswith(
        "Is not comparable: different models answered: before m-1, after m-2, though both ask for m."
    )
    assert report.prompts[0].mismatches
    assert decide([comparison(rows, **SWAPPED)], GatePolicy(on_inconclusive=OnInconclusive.BLOCK)).exit_code == 3


def test_critical_cases_and_absolute_limits_still_count() -> None:
    broken = decide([comparison(quality_rows(right=50) + "\nvip* 1,1,1,1,1 0,0,0,0,0", **SWAPPED)], GatePolicy())
    poor = decide([comparison(quality_rows(right=50, wrong=50), **SWAPPED)], GatePolicy(min_quality=0.9))

    assert (broken.verdict, rules(broken)["critical"]) == (Verdict.FAIL, Verdict.FAIL)
    assert (poor.verdict, rules(poor)["min-quality"]) == (Verdict.FAIL, Verdict.FAIL)


def test_cost_and_latency_of_another_model_are_not_blamed_on_the_change() -> None:
    facts: dict[str, Any] = {"cost": (Decimal(1), Decimal(9)), "latency": (100.0, 900.0)}
    same = decide([comparison(quality_rows(right=100), models=("m-1", "m-1"), **facts)], GatePolicy())
    swapped = decide([comparison(quality_rows(right=100), **SWAPPED, **facts)], GatePolicy())

    assert {"cost", "p95"} <= rules(same).keys()
    assert not {"cost", "p95"} & rules(swapped).keys()


def test_what_is_not_compared_is_no_test_among_several() -> None:
    slight = comparison(quality_rows(right=46, broken=4), models=("m-1", "m-1"))
    unlike = comparison(quality_rows(right=50), **SWAPPED)
    report = decide([slight, *[unlike] * 19], GatePolicy())

    assert report.prompts[0].verdict is Verdict.FAIL
    assert report.prompts[0].adjusted_p == decide([slight], GatePolicy()).prompts[0].adjusted_p
    assert {d.adjusted_p for d in report.prompts[1:]} == {None}


def test_too_many_missing_answers_and_cases_that_stand_aside_are_said_first() -> None:
    lost = "\n".join(f"y{i} 1 !" for i in range(40))
    missing = decide([comparison(quality_rows(right=40) + "\n" + lost, **SWAPPED)], GatePolicy())
    aside = decide([comparison("a? 1 1\nb? 1 0", **SWAPPED)], GatePolicy())

    assert rules(missing)["error-rate"] is Verdict.ERROR
    assert rules(aside)["all-excluded"] is Verdict.INCONCLUSIVE
    assert not {"not-comparable"} & (rules(missing).keys() | rules(aside).keys())


def test_a_model_changed_by_the_prompt_is_compared() -> None:
    changed = comparison(quality_rows(right=40, broken=20), **SWAPPED, plan={"head": prompt("new", "m-2")})
    report = decide([changed], GatePolicy())

    assert rules(report)["regression"] is Verdict.FAIL
    assert report.prompts[0].comparability is not None
    assert report.prompts[0].comparability.parts["model asked"] == "m → m-2"


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"models": ("x", "x")}, ["Requested m, and the endpoint answered with x (before and after)."]),
        (
            {"models": ("x", "m-0613"), "plan": {"head": prompt("new", "m-0613")}},
            ["Requested m, and the endpoint answered with x (before)."],
        ),
        (
            {"models": ("x", "y"), "plan": {"head": prompt("new", "n")}},
            [
                "Requested m, and the endpoint answered with x (before).",
                "Requested n, and the endpoint answered with y (after).",
            ],
        ),
        ({"models": ("m-0613", "m-0613")}, []),
        ({}, []),
    ],
)
def test_a_model_that_nobody_asked_for_is_said(facts: dict[str, Any], message: list[str]) -> None:
    report = decide([comparison(quality_rows(right=100), **facts)], GatePolicy())
    findings = [finding for finding in report.prompts[0].findings if finding.rule == "model-returned"]

    assert [describe(finding).text for finding in findings] == message
    assert {finding.verdict for finding in findings} <= {Verdict.NO_CHANGE}


def test_it_is_said_of_a_new_prompt_too() -> None:
    report = decide([comparison("a - 1\nb - 1", status=Status.ADDED, models=(None, "x"))], GatePolicy())

    assert text(report, "model-returned") == "Requested m, and the endpoint answered with x (after)."
    assert report.prompts[0].comparability is None
    assert report.prompts[0].mismatches == ()


@pytest.mark.parametrize(
    ("fingerprints", "message"),
    [
        (("fp_a", "fp_b"), "fp_a before and fp_b after"),
        (("fp_a", "fp_a,fp_b"), "fp_a before and fp_a and fp_b after"),
        (("fp_a", "fp_b,fp_c,fp_d,fp_e"), "fp_a before and fp_b, fp_c, fp_d and 1 more after"),
        (("fp_a,fp_b", "fp_a,fp_b"), None),
        (("fp_a", None), None),
        ((None, "fp_a"), None),
    ],
)
def test_an_endpoint_set_up_differently_for_the_versions_is_a_remark(
    fingerprints: tuple[str | None, str | None], message: str | None
) -> None:
    rows = quality_rows(right=100)
    report = decide([comparison(rows, models=("m", "m"), fingerprints=fingerprints)], GatePolicy())
    unlike = decide([comparison(rows, **SWAPPED, fingerprints=fingerprints)], GatePolicy())

    assert ("endpoint-differs" in rules(report)) == (message is not None)
    assert message is None or message in text(report, "endpoint-differs")
    assert report.verdict is Verdict.PASS
    assert "endpoint-differs" not in rules(unlike)
