"""What the audit log, the binder and the attestation read of a report.json; everything else in it is ignored."""

from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from promptci.audit.chain import digest_line
from promptci.documents.document import read_bounded
from promptci.documents.report_document import ReportDocument, VerdictName

MAX_REPORT_BYTES = 512 * 2**20


class RecordPart(BaseModel):
    """Part of a report, of this version of promptci or another."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True, defer_build=True)


class RecordedOverride(RecordPart):
    """Somebody let through what the gate had blocked."""

    by: str
    id: int | None = None
    permission: str = ""
    reason: str = ""
    head: str | None = None
    at: str | None = None
    rules: list[str] = []


class RecordedApprover(RecordPart):
    """A person who approved the head commit."""

    by: str
    id: int | None = None
    at: str | None = None


class RecordedApproval(RecordPart):
    """An approval that the change takes, as GitHub reported it."""

    role: str
    prompts: list[str] = []
    state: str = ""
    approvers: list[RecordedApprover] = []


class RecordedRevision(RecordPart):
    """One side of the comparison."""

    rev: str = ""
    sha: str | None = None


class RecordedFinding(RecordPart):
    """One finding."""

    rule: str
    verdict: str
    text: str = ""


class RecordedOnGoldens(RecordPart):
    """The test of these very cases."""

    drop: float
    p: float | None = None
    max_drop: float | None = None


class RecordedQuality(RecordPart):
    """The measured difference."""

    base: float
    head: float
    delta: float
    interval: tuple[float, float] | None = None
    confidence: float = 0.95
    p: float | None = None
    adjusted_p: float | None = None
    method: str = ""
    on_goldens: RecordedOnGoldens | None = None


class RecordedAnswer(RecordPart):
    """One answer."""

    passed: bool | None = None


class RecordedCase(RecordPart):
    """One golden case."""

    id: str
    outcome: str = ""
    critical: bool = False
    head: RecordedAnswer | None = None
    excluded_reason: str | None = None


class RecordedVersion(RecordPart):
    """One version of the prompt."""

    model_requested: str | None = None
    models: list[str] = []


class RecordedComparability(RecordPart):
    """The conditions of the comparison."""

    parts: dict[str, str] = {}


class RecordedPrompt(RecordPart):
    """One prompt of a run."""

    name: str
    path: str = ""
    status: str = ""
    verdict: VerdictName
    sentence: str = ""
    base_fingerprint: str | None = None
    head_fingerprint: str | None = None
    goldens: str | None = None
    cases: int = 0
    pairs: int = 0
    errors: int = 0
    quality: RecordedQuality | None = None
    head: RecordedVersion | None = None
    comparability: RecordedComparability | None = None
    regressions: list[str] = []
    fixes: list[str] = []
    findings: list[RecordedFinding] = []
    case_details: list[RecordedCase] = []
    new_cases: list[str] = []
    changed_cases: list[str] = []
    removed_cases: list[str] = []
    weakened_cases: list[str] = []

    @property
    def is_green(self) -> bool:
        """Whether nothing about it can block."""
        return self.verdict in {"pass", "no-change"}

    @property
    def blocking_rules(self) -> list[str]:
        """Return the rules whose findings are no pass."""
        return sorted({finding.rule for finding in self.findings if finding.verdict in {"fail", "error"}})


class RecordedReport(ReportDocument):
    """A run."""

    model_config = ConfigDict(extra="ignore")

    promptci_version: str = ""
    verdict: VerdictName
    exit_code: int = 0
    headline: str = ""
    base: RecordedRevision | None = None
    head: RecordedRevision = RecordedRevision()
    repository: str | None = None
    pull_request: int | None = None
    actor: str | None = None
    run_url: str | None = None
    started_at: str | None = None
    generated_at: str | None = None
    provider: str | None = None
    prompts: list[RecordedPrompt] = Field(default=[])
    problems: list[RecordedFinding] = Field(default=[])
    gate: dict[str, Any] = Field(default={})
    override: RecordedOverride | None = None
    approvals: list[RecordedApproval] = Field(default=[])

    @property
    def is_blocked(self) -> bool:
        """Whether the gate blocked it, overridden or not."""
        return self.exit_code != 0 or self.override is not None

    @classmethod
    def read(cls, path: Path) -> tuple[Self, str]:
        """Return a report and the SHA-256 of its bytes.

        Raises
        ------
        InputError
            Where the file is no report.
        """
        data = read_bounded(path, str(path), max_bytes=MAX_REPORT_BYTES, hint=cls.HINT)
        return cls.parse(data, str(path)), digest_line(data)
