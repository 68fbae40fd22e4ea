"""What the audit log reads of a report.json is what a report.json has."""

import pytest
from pydantic import BaseModel

from promptci.audit import report_record as read
from promptci.report.model import report as written
from promptci.report.model.case import AnswerView, CaseView
from promptci.report.model.numbers import GoldensTestView, QualityView, VersionView


@pytest.mark.parametrize(
    ("reader", "writer"),
    [
        (read.RecordedReport, written.ReportView),
        (read.RecordedPrompt, written.PromptView),
        (read.RecordedOverride, written.OverrideView),
        (read.RecordedApproval, written.ApprovalView),
        (read.RecordedApprover, written.ApproverView),
        (read.RecordedRevision, written.RevisionView),
        (read.RecordedFinding, written.FindingView),
        (read.RecordedComparability, written.ComparabilityView),
        (read.RecordedCase, CaseView),
        (read.RecordedAnswer, AnswerView),
        (read.RecordedQuality, QualityView),
        (read.RecordedOnGoldens, GoldensTestView),
        (read.RecordedVersion, VersionView),
    ],
    ids=lambda model: model.__name__,
)
def test_every_field_that_is_read_is_one_that_is_written(reader: type[BaseModel], writer: type[BaseModel]) -> None:
    assert reader.model_fields.keys() - writer.model_fields.keys() == set()
