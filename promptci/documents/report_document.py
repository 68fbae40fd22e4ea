"""report.json: what every reader of it shares, and the part that shows whether a version passed.

The whole report is `ReportView`, in `promptci.report`. Packages below that layer read `ReportSummary`.
"""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from promptci.documents.document import Document

VerdictName = Literal["no-change", "pass", "inconclusive", "fail", "error"]


class ReportDocument(Document):
    """Base of everything that a report.json is read into."""

    MAX_BYTES: ClassVar[int] = 2**31
    MAX_NUMBER: ClassVar[float] = 1e15
    """A larger number, which no run produces, could break the arithmetic of charts."""
    HINT: ClassVar[str] = "Pass a report.json as promptci wrote it, or render the report from the run's journal.jsonl."

    schema_: Literal["promptci/report/v1"] = Field(default="promptci/report/v1", alias="schema")


class GoldensTestSummary(BaseModel):
    """The test of these very cases, where it decides."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    max_drop: float | None


class HeadVersionSummary(BaseModel):
    """How one version did over all of its answers."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    evaluated: int
    quality: float | None
    quality_interval: tuple[float, float] | None


class QualitySummary(BaseModel):
    """The measured difference of one prompt."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    delta: float
    interval: tuple[float, float] | None
    on_goldens: GoldensTestSummary | None = None


class PromptSummary(BaseModel):
    """Whether one version of a prompt passed."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    verdict: VerdictName
    head_fingerprint: str | None = None
    cases: int
    errors: int
    quality: QualitySummary | None
    head: HeadVersionSummary | None = None


class FindingSummary(BaseModel):
    """A finding about the run as a whole."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    rule: str


class ReportSummary(ReportDocument):
    """The part of report.json that shows which versions passed; everything else in it is ignored."""

    model_config = ConfigDict(extra="ignore")

    MAX_BYTES: ClassVar[int] = 512 * 2**20
    HINT: ClassVar[str] = "Pass the report.json of a run of `promptci check` or `promptci run`."

    prompts: list[PromptSummary]
    problems: list[FindingSummary] = Field(default=[])
