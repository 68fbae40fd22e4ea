"""`AuditBinder`: each change of a period with the answers to an auditor's questions. The exported JSON is this."""

from typing import Literal

from pydantic import Field

from promptci.documents.document import Document
from promptci.report.model.numbers import ViewModel
from promptci.report.model.report import DiffLineView

PointKey = Literal[
    "what",
    "why",
    "who",
    "when",
    "risk",
    "criteria",
    "test-data",
    "results",
    "exceptions",
    "deployments",
    "monitoring",
    "rollback",
    "tools",
    "retention",
]
TITLES: dict[PointKey, str] = {
    "what": "What changed",
    "why": "Why",
    "who": "Who proposed and approved",
    "when": "When",
    "risk": "Risk class",
    "criteria": "Acceptance criteria, fixed before the test",
    "test-data": "Test data",
    "results": "Results",
    "exceptions": "Exceptions and overrides",
    "deployments": "Deployments",
    "monitoring": "Monitoring",
    "rollback": "Rollback",
    "tools": "Tools and their versions",
    "retention": "Retention",
}
"""The questions of an auditor, in the order of the binder."""
NOT_RECORDED = "not recorded"
"""What the binder shows where nothing is known: a question is never left out."""


class BinderFact(ViewModel):
    """One answer to a question."""

    label: str
    values: list[str] = Field(description="Empty: not recorded.")


class BinderPoint(ViewModel):
    """One question of an auditor."""

    key: PointKey
    facts: list[BinderFact]

    @property
    def title(self) -> str:
        """The question in words."""
        return TITLES[self.key]


class BinderEntry(ViewModel):
    """A line of the audit log."""

    n: int
    at: str
    what: str
    by: str
    text: str
    sha256: str = Field(description="Of the line, as its successor and the anchors name it.")


class BinderChange(ViewModel):
    """One version of a prompt: released, or checked and never released."""

    prompt: str
    version: str
    outcome: str = Field(description="What became of it, in a few words.")
    approved_by: list[str]
    verdict: str | None
    at: str | None = Field(description="When it was released, else first checked.")
    points: list[BinderPoint]
    diff: list[DiffLineView]
    diff_note: str | None
    diff_left_out: int = Field(description="Lines of the diff that are not in the binder.")
    entries: list[BinderEntry]


class AuditBinder(Document):
    """An auditor's binder."""

    schema_: Literal["promptci/audit-binder/v1"] = Field(default="promptci/audit-binder/v1", alias="schema")
    made_at: str
    promptci_version: str
    repository: str | None
    since: str | None
    until: str | None
    prompt: str | None
    head: str | None = Field(description="Number and digest of the log's last entry.")
    entries: int = Field(description="Entries of the whole log.")
    is_whole: bool = Field(description="Whether the log, its anchors and its versions verify.")
    verification: list[str] = Field(description="What `promptci audit verify` says, line by line.")
    changes: list[BinderChange]
    other: list[BinderEntry] = Field(description="Decisions of the period about no single version.")
    retention: list[str]
