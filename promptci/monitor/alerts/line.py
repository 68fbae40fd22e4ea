"""`AlertLine`: a change of an alert, as the history branch keeps it."""

from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from promptci.documents.document import Document
from promptci.git.data_branch import BranchFiles
from promptci.history.record_kind import RecordKind
from promptci.monitor.alerts.state import AlertState, Event

Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
Name = Annotated[str, Field(max_length=300)]


class AlertLine(Document):
    """A change of an alert."""

    HINT: ClassVar[str] = "Only `promptci alerts check` writes these lines."

    schema_: Literal["promptci/alert/v1"] = Field(default="promptci/alert/v1", alias="schema")
    at: Moment = Field(description="Time of the look.")
    look: Name = Field(description="When the figures were made: a second check of the same ones is not a look.")
    what: Event = Field(
        description="`pending`: fired once. `cleared`: did not fire again. `opened`. `updated`: open, and begins to"
        " recover or fires again. `resolved`."
    )
    rule: Name = Field(description="Name of the rule; `data` for missing data.")
    prompt: Name = Field(description="Empty for missing data.")
    kind: Name
    metric: Name
    since: Moment = Field(description="First look at which it fired.")
    firing: int = Field(ge=0, description="Looks in a row at which it fired before it opened.")
    fine: int = Field(ge=0, description="Looks in a row at which it did not fire since it opened.")
    value: float | None = None
    limit: float | None = None
    n: int | None = Field(default=None, description="Requests, or hours, that were looked at.")

    @property
    def key(self) -> tuple[str, str]:
        """Return rule and prompt."""
        return self.rule, self.prompt

    @property
    def state(self) -> AlertState | None:
        """Return the alert's state after this change."""
        if self.what in {"cleared", "resolved"}:
            return None
        phase: Literal["pending", "open"] = "pending" if self.what == "pending" else "open"
        return AlertState(phase=phase, firing=self.firing, fine=self.fine, since=self.since)

    def line(self) -> bytes:
        """Return the line of the file, without its line feed; unknown fields are left out."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()


ALERTS = RecordKind(path="alerts/%Y-%m.jsonl", document=AlertLine, max_line_bytes=8 * 2**10)
"""The kind of these lines on the history branch."""


def read_alert_lines(files: BranchFiles) -> list[AlertLine]:
    """Return every line of the branch, the oldest first.

    Raises
    ------
    InputError
        If one is not a line of an alert.
    """
    return [
        AlertLine.parse(line, path)
        for path, content in files.read_all(ALERTS.folder)
        for line in content.split(b"\n")
        if line.strip()
    ]


def fold_lines(lines: Iterable[AlertLine]) -> dict[tuple[str, str], AlertLine]:
    """Return the last change of each alert that is open or pending."""
    last = {line.key: line for line in lines}
    return {key: line for key, line in last.items() if line.state is not None}


def find_resolved(lines: Iterable[AlertLine], since: str) -> set[tuple[str, str]]:
    """Return the alerts that were resolved since some time and are not open again."""
    last = {line.key: line for line in lines}
    return {key for key, line in last.items() if line.what == "resolved" and line.at >= since}
