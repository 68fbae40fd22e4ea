"""Evidence is read from a report.json as promptci writes it."""

import json
from pathlib import Path

import pytest
from support.daily import some_daily
from support.report_situations import SITUATIONS

from promptci.documents.report_document import FindingSummary, PromptSummary, QualitySummary, ReportSummary
from promptci.errors import InputError
from promptci.registry.evidence import describe_result, read_report
from promptci.report.model.document import dump
from promptci.report.model.report import FindingView, PromptView, QualityView, ReportView


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
    ],
)
def test_a_summary_has_the_fields_of_the_view(part: type[ReportSummary], whole: type[ReportView]) -> None:
    """Nested summaries are compared by their names alone, which stand for the view of that name."""

    def spell(annotation: object) -> str:
        return str(annotation).rpartition(".")[2].replace("Summary", "View")

    types = {name: spell(field.annotation) for name, field in whole.model_fields.items()}
    for name, field in part.model_fields.items():
        assert spell(field.annotation) == types[name]
        assert field.is_required() == whole.model_fields[name].is_required()


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


def test_a_report_without_a_comparison_is_described_by_its_cases() -> None:
    quality = QualitySummary(delta=0.01, interval=None)
    assert describe_result(PromptSummary(verdict="pass", cases=1, errors=0, quality=None)) == "1 case"
    assert describe_result(PromptSummary(verdict="pass", cases=9, errors=0, quality=quality)) == "quality +1.0, 9 cases"
