"""What the doctor finds, and its JSON."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, Field

from promptci.documents.document import Document
from promptci.errors import Problem
from promptci.lazy_dataclass import dataclass

Level = Literal["error", "warning"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DoctorFinding:
    """One thing to fix."""

    problem: Problem
    level: Level
    """`error`: promptci will not work as configured. `warning`: it works, but could be set up better."""


class DoctorRow(BaseModel):
    """A finding of doctor's JSON."""

    file: str
    line: int | None
    level: Level
    message: str
    hint: str


class DoctorDocument(Document):
    """Output of `promptci doctor --json`."""

    schema_: Literal["promptci/doctor/v1"] = Field(default="promptci/doctor/v1", alias="schema")
    errors: int
    warnings: int
    findings: list[DoctorRow]


def to_document(findings: Sequence[DoctorFinding]) -> DoctorDocument:
    """Return doctor's JSON."""
    errors = sum(finding.level == "error" for finding in findings)
    rows = [
        DoctorRow(
            file=finding.problem.path,
            line=finding.problem.line,
            level=finding.level,
            message=finding.problem.message,
            hint=finding.problem.hint,
        )
        for finding in findings
    ]
    return DoctorDocument(errors=errors, warnings=len(findings) - errors, findings=rows)
