"""`promptci/drift/v1`: what one run of `promptci drift` found, and the lines that people read."""

from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import Any, Literal

from pydantic import BaseModel, Field

from promptci.documents.document import Document
from promptci.drift.night import GREEN, UNASKED, DriftVerdict, NightLine
from promptci.evaluation.nights.watched import WatchedPrompt
from promptci.findings import Finding, facts_as_json
from promptci.lazy_dataclass import dataclass
from promptci.present.finding_text.describe import describe
from promptci.redact import Redactor

NOTHING_WATCHED = "Nothing is watched: nothing is deployed, and no prompt with goldens is found."


@dataclass(kw_only=True)
class PromptNight:
    """One prompt in one night; grows while its causes are looked for."""

    name: str
    version: str
    verdict: DriftVerdict
    findings: list[Finding] = field(default_factory=list)
    watched: WatchedPrompt | None = None
    line: NightLine | None = None
    """None: it could not be watched at all."""
    means: dict[str, float] = field(default_factory=dict)
    """Mean mark of each case tonight."""
    earlier: tuple[NightLine, ...] = ()
    """Nights before this one, the oldest first."""
    issue: str | None = None
    action: str | None = None

    @property
    def before(self) -> NightLine | None:
        """The night before."""
        return self.earlier[-1] if self.earlier else None

    @property
    def is_opened(self) -> bool:
        """Whether a drift begins with this night."""
        return self.line is not None and self.line.since is not None and self._since_before is None

    @property
    def is_closed(self) -> bool:
        """Whether a drift is over with this night."""
        return self.line is not None and self.line.since is None and self._since_before is not None

    @property
    def _since_before(self) -> str | None:
        return None if self.before is None else self.before.since

    @property
    def texts(self) -> list[str]:
        """Each finding as sentences."""
        return [describe(finding).text for finding in self.findings]


class DriftFinding(BaseModel):
    """One finding."""

    rule: str
    verdict: str
    text: str
    facts: dict[str, Any]


class DriftRow(BaseModel):
    """One prompt."""

    prompt: str
    version: str
    verdict: DriftVerdict
    since: str | None = Field(description="First night of the drift that is open.")
    quality: float | None
    drop: float | None = Field(description="Quality of the reference minus this night's.")
    cusum: float | None
    limit: float | None
    findings: list[DriftFinding]
    issue: str | None = Field(default=None, description="Address of its issue.")
    action: str | None = Field(default=None, description="What was done to the deployment.")


class DriftDocument(Document):
    """What one run found."""

    schema_: Literal["promptci/drift/v1"] = Field(default="promptci/drift/v1", alias="schema")
    at: str
    environment: str | None
    dry_run: bool
    prompts: list[DriftRow]
    notes: list[str] = Field(default=[])

    @property
    def exit_code(self) -> int:
        """1 for a finding, 4 where nothing could be asked, else 0."""
        verdicts = {row.verdict for row in self.prompts}
        if verdicts <= UNASKED:  # of no prompt, too
            return 4
        return 0 if verdicts <= GREEN else 1


def build_document(
    at: str,
    environment: str | None,
    nights: Sequence[PromptNight],
    *,
    dry_run: bool,
    redactor: Redactor,
    planned: bool = False,
) -> DriftDocument:
    """Return the document, without secrets; `planned`: a dry run printed what would be asked."""
    document = DriftDocument(
        at=at,
        environment=environment,
        dry_run=dry_run,
        prompts=[_row(night) for night in nights],
        notes=[] if nights or planned else [NOTHING_WATCHED],
    )
    return document.redacted(redactor)


def _row(night: PromptNight) -> DriftRow:
    line = night.line
    return DriftRow(
        prompt=night.name,
        version=night.version,
        verdict=night.verdict,
        since=line.since if line else None,
        quality=line.quality if line else None,
        drop=line.drop if line else None,
        cusum=line.cusum if line else None,
        limit=line.h if line else None,
        findings=[
            DriftFinding(
                rule=finding.rule,
                verdict=finding.verdict.value,
                text=describe(finding).text,
                facts=facts_as_json(finding.facts),
            )
            for finding in night.findings
        ],
        issue=night.issue,
        action=night.action,
    )


def document_lines(document: DriftDocument) -> Iterator[str]:
    """Yield what a person reads."""
    for row in document.prompts:
        yield f"{row.prompt} {row.version}: {row.verdict}"
        yield from (f"  {finding.text}" for finding in row.findings)
        if row.action:
            yield f"  {row.action}"
        if row.issue:
            yield f"  {row.issue}"
    yield from document.notes
