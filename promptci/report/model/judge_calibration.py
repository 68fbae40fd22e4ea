"""calibration.json: what `promptci judge` writes and a site shows."""

from typing import ClassVar, Literal

from pydantic import Field

from promptci.documents.document import Document
from promptci.report.model.judge import JudgeView


class CalibrationDocument(Document):
    """calibration.json: how far each judge agrees with people's labels."""

    HINT: ClassVar[str] = "Use the calibration.json that `promptci judge` wrote, with the same version of promptci."

    schema_: Literal["promptci/judge-calibration/v1"] = Field(default="promptci/judge-calibration/v1", alias="schema")
    revision: str | None
    """Commit; None for the working tree."""
    prompts: dict[str, JudgeView]
