"""Evidence is read from a report.json as promptci writes it."""

import json
from pathlib import Path

import pytest
from support.daily import some_daily
from support.report_situations import SITUATIONS

from promptci.documents.report_document import (
    FindingSummary,
    GoldensTestSummary,
    HeadVersionSummary,
    PromptSummary,
    QualitySummary,
    ReportSummary,
)
from promptci.errors import InputError
from promptci.registry.evidence import describe_result, read_report
from promptci.report.model.document import dump
from promptci.report.model.numbers import GoldensTestView
from promptci.report.model.report import FindingView, PromptView, QualityView, ReportView, VersionView


@pytest.mark.parametrize("situation", some_daily(SITUATIONS, 12))
def test_every_report_is_evidence_for_the_versions_it_tested(situation: str, tmp_path: Path) -> None:
    view = SITUATIONS[situation]()
    path = tmp_path / "report.json"
    path.write_text(dump(view))
    evidence = read_report(path)
    assert {fingerprint: each.verdict for fingerprint, each in evidence.items()} == {
        prompt.head_fingerprint: prompt.verdict for prompt in view.prompts if prompt.head_fingerprint
    }


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        (ReportSummary, ReportView),
        (PromptSummary, PromptView),
        (QualitySummary, QualityView),
        (FindingSummary, FindingView),
        (HeadVersionSummary, VersionView),
        (GoldensTestSummary, GoldensTestView),
    ],
)
def test_a_summary_has_the_fields_of_the_view(part: type[ReportSummary], whole: type[ReportView]) -> None:
    """Nested summaries are compared by their names alone, which stand for the view of that name.

    What a summary can do without may be missing from a report of an older version.
    """

    def spell(annotation: object) -> str:
        return str(annotation).rpartition(".")[2].replace("HeadVersion", "Version").replace("Summary", "View")

    types = {name: spell(field.annotation) for name, field in whole.model_fields.items()}
    for name, field in part.model_fields.items():
        assert spell(field.annotation) == types[name]
        assert whole.model_fields[name].is_required() or not field.is_required()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "`schema` is null, expected `promptci/report/v1`"),
        ('{"schema": "promptci/report/v2", "prompts": []}', 'report.json:1: `schema` is "promptci/report/v2"'),
        ('{"schema": "promptci/report/v1"}', "`prompts`: Field required"),
        ('{"schema": "promptci/report/v1", "prompts": [1]}', "`prompts.0`"),
        (
            '{"schema": "promptci/report/v1", "prompts": [{"verdict": "fine", "cases": 1, "errors": 0}]}',
            "`prompts.0.verdict`",
        ),
    ],
)
def test_what_is_no_report_is_no_evidence(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        read_report(path)
    assert message in str(error.value)
    assert "Pass the report.json of a run of `promptci check` or `promptci run`." in str(error.value)


def test_other_parts_of_a_report_need_not_be_valid(tmp_path: Path) -> None:
    prompt = {"verdict": "pass", "head_fingerprint": "f", "cases": 3, "errors": 0, "quality": None, "later": "key"}
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"schema": "promptci/report/v1", "prompts": [prompt], "gate": "another format"}))
    assert read_report(path)["f"].passes


def describe(cases: int, quality: QualitySummary | None = None, head: HeadVersionSummary | None = None) -> str:
    return describe_result(PromptSummary(verdict="pass", cases=cases, errors=0, quality=quality, head=head))


def test_a_report_without_a_comparison_is_described_by_its_cases() -> None:
    assert describe(1) == "1 case"
    assert describe(9, QualitySummary(delta=0.01, interval=None)) == "9 cases, +1.0 points"


def test_evidence_names_how_many_cases_were_right() -> None:
    """A verdict alone hides that a version passed with 1 of 12 cases right."""
    right = HeadVersionSummary(evaluated=12, quality=1 / 12, quality_interval=(0.01, 0.35))
    assert describe(12, head=right) == "1 of 12 cases right (8.3%)"
    repeated = right.model_copy(update={"evaluated": 48, "quality": 0.5})
    assert describe(12, head=repeated) == "right 50% of the time, 12 cases"
    graded = HeadVersionSummary(evaluated=12, quality=0.8712, quality_interval=None)
    assert describe(12, head=graded) == "mean score 0.871 over 12 cases"
    assert describe(12, head=graded.model_copy(update={"quality": None})) == "12 cases"


def test_evidence_names_the_bound_that_decided() -> None:
    """An interval of inputs like these says nothing of a verdict that rests on these very cases."""
    test = GoldensTestSummary(max_drop=0.028)
    decided = QualitySummary(delta=0.0, interval=(-0.184, 0.184), on_goldens=test)
    assert describe(12, decided) == "12 cases, +0.0 points: a drop over 2.8 is excluded"
    unbounded = decided.model_copy(update={"on_goldens": GoldensTestSummary(max_drop=None)})
    assert describe(12, unbounded) == "12 cases, +0.0 points"
    inputs = decided.model_copy(update={"on_goldens": None})
    assert describe(12, inputs) == "12 cases, +0.0 points: between -18.4 and +18.4 for inputs like these"
