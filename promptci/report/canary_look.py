"""`promptci/canary-look/v1`: a look at a canary that changed something, as the history branch keeps it."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from promptci.documents.document import Document
from promptci.git.data_branch import BranchFiles
from promptci.history.branch_records import RecordLine, add_lines
from promptci.history.record_kind import RecordKind
from promptci.report.canary_document import CanaryDocument, CanaryPromptRow, MetricRow
from promptci.rollout.deployment import shorten_version

MAX_POINTS = 200


class LookMetric(BaseModel):
    """One metric at a look."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    status: str = Field(description="`open`, `within the limit`, `worse`, `no data`.")
    control_n: int
    canary_n: int
    drop: float | None = Field(default=None, description="Mean of the stable version minus that of the canary.")
    log_e_worse: float | None = Field(default=None, description="Logarithm of the evidence that the canary is worse.")
    log_e_fine: float | None = Field(default=None, description="Likewise, that it is within the limit.")
    need_worse: float = Field(description="What log_e_worse must reach for a rollback.")
    need_fine: float = Field(description="What log_e_fine must reach for a promotion.")


class CanaryLookLine(Document):
    """One look at one canary."""

    HINT: ClassVar[str] = "Only `promptci canary --history` writes these lines."

    schema_: Literal["promptci/canary-look/v1"] = Field(default="promptci/canary-look/v1", alias="schema")
    at: str = Field(description="Time of the look, ISO 8601.")
    environment: str
    prompt: str
    stable: str
    canary: str
    outcome: str
    rules: tuple[str, ...] = Field(description="Findings behind the outcome.")
    share: float = Field(description="In percent, before this look.")
    new_share: float
    applied: bool = Field(description="Whether the new share was written, by `--apply`.")
    since: str | None = Field(default=None, description="When the step began.")
    requests: tuple[int, int] = Field(description="Of this step: of the stable version, and of the canary.")
    metrics: tuple[LookMetric, ...]

    @property
    def path(self) -> str:
        """Return its file on the history branch."""
        version = shorten_version(self.prompt, self.canary)
        name = quote(f"{self.prompt}@{version}", safe="@ .-_")
        return f"{CANARIES.folder}/{quote(self.environment, safe=' .-_')}/{name}.jsonl"

    @property
    def decided(self) -> tuple[object, ...]:
        """Return what makes a look worth a line: the decision and its reasons, and no figure."""
        statuses = tuple((metric.metric, metric.status) for metric in self.metrics)
        shares = (self.share, self.new_share, self.applied)
        return self.stable, self.canary, self.outcome, self.rules, shares, statuses

    def line(self) -> bytes:
        """Return the line of the file, without its line feed; unknown fields are left out."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()


CANARIES = RecordKind(
    path="canary/*/*.jsonl",
    document=CanaryLookLine,
    keep_days=3 * 365,
    max_points=MAX_POINTS,
    writer="promptci canary --history",
)
"""The kind of these lines on the history branch."""


def list_looks(document: CanaryDocument) -> list[CanaryLookLine]:
    """Return a line for each canary of an evaluation."""
    return [
        CanaryLookLine(
            at=document.at,
            environment=document.environment,
            prompt=row.prompt,
            stable=row.stable,
            canary=row.canary,
            outcome=row.outcome,
            rules=tuple(finding.rule for finding in row.findings),
            share=row.share,
            new_share=row.new_share,
            applied=document.applied,
            since=row.since,
            requests=(row.arms.stable.requests, row.arms.canary.requests),
            metrics=tuple(_metric(metric, row) for metric in row.metrics),
        )
        for row in document.prompts
        if row.canary is not None
    ]


def _metric(metric: MetricRow, row: CanaryPromptRow) -> LookMetric:
    points = [point for point in row.evidence if point.metric == metric.metric]
    last = points[-1] if points else None
    return LookMetric(
        metric=metric.metric,
        status=metric.status,
        control_n=metric.stable_n,
        canary_n=metric.canary_n,
        drop=metric.drop,
        log_e_worse=None if last is None else last.log_e_worse,
        log_e_fine=None if last is None else last.log_e_fine,
        need_worse=metric.need_worse,
        need_fine=metric.need_fine,
    )


def add_looks(files: BranchFiles, looks: Sequence[CanaryLookLine]) -> Mapping[str, bytes | None]:
    """Return the files of canaries with the looks that changed something; nothing where none did.

    Raises
    ------
    InputError
        If a file of the branch cannot be read.
    """
    changed = [look for look in looks if _is_new(files.read(look.path) or b"", look)]
    if not changed:
        return {}
    return add_lines(files, [RecordLine(path=look.path, content=look.line()) for look in changed])


def _is_new(content: bytes, look: CanaryLookLine) -> bool:
    last = content.rstrip(b"\n").rpartition(b"\n")[2]
    return not last or CanaryLookLine.parse(last, look.path).decided != look.decided
