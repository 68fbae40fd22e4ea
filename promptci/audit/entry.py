"""`AuditEntry`: one line of the audit log."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from promptci.documents.document import Document
from promptci.wording import short_digest

Decision = Literal[
    "checked",
    "blocked",
    "overridden",
    "released",
    "deployed",
    "promoted",
    "held",
    "rolled-back",
    "drift-opened",
    "drift-closed",
    "reference-reset",
    "config-changed",
    "goldens-changed",
    "alert-opened",
    "alert-closed",
    "log-began",
    "log-mended",
]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(max_length=2000)]
Timestamp = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])-\d\dT\d\d:\d\d:\d\dZ$")]
"""UTC."""
ZERO_DIGEST = "0" * 64
"""`prev` of the first line."""


class AuditPart(BaseModel):
    """Part of an entry."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)


class DeployedShare(AuditPart):
    """A version and its share of the requests."""

    version: Text
    fingerprint: str | None = None
    share: float = Field(ge=0, le=100, description="In percent.")


class Actor(AuditPart):
    """Who or what acted."""

    kind: Literal["person", "workflow"]
    actor: Text | None = Field(default=None, description="Login, or the name that git knows.")
    actor_id: int | None = Field(default=None, description="GitHub's id of the account; a login can be given away.")
    event: Text | None = Field(default=None, description="Event that started the workflow, such as `schedule`.")
    run: Text | None = Field(default=None, description="Address of the workflow run.")


class Approval(AuditPart):
    """A person's approval, as GitHub reported it at that time."""

    login: Text
    id: int | None = None
    role: Text | None = Field(default=None, description="Name of the approval rule that it fulfils.")
    at: Timestamp | None = None
    commit: str | None = Field(default=None, description="Head commit that was approved.")


class ChangedFile(AuditPart):
    """A file as it was before a change and after it."""

    path: Text
    before: Digest | None = Field(default=None, description="SHA-256 of its content; missing: there was no such file.")
    after: Digest | None = Field(default=None, description="Missing: it was deleted.")

    def __str__(self) -> str:
        """Return the path and both digests: `promptci.yml 0a1b2c3d4e5f → none`."""
        before, after = (short_digest(digest) if digest else "none" for digest in (self.before, self.after))
        return f"{self.path} {before} → {after}"


class AuditedChange(AuditPart):
    """The change that the decision is about."""

    pull_request: int | None = None
    commit: str | None = None
    author: Text | None = Field(default=None, description="Who committed or tagged it, as git knows them.")
    proposed_by: Text | None = None
    at: Timestamp | None = Field(default=None, description="When it was committed or tagged, by that clock.")
    classes: tuple[Text, ...] = Field(default=(), description="Such as `messages`, `parameters`, `model`.")
    files: tuple[ChangedFile, ...] = Field(default=(), description="Of `config-changed` and `goldens-changed`.")


class EvidenceFile(AuditPart):
    """A file that shows why."""

    name: Text
    sha256: Digest


class AuditTools(AuditPart):
    """Versions of what decided."""

    promptci: Text
    action: Text | None = Field(default=None, description="Commit or tag of the Action.")


class AuditEntry(Document):
    """One decision. `prev` is the SHA-256 of the previous line's bytes, without its line feed."""

    schema_: Literal["promptci/audit/v1"] = Field(default="promptci/audit/v1", alias="schema")
    n: int = Field(ge=1, description="1, 2, 3, … without a gap.")
    prev: Digest
    at: Timestamp
    what: Decision
    environment: Text | None = None
    prompt: Text | None = None
    from_: DeployedShare | None = Field(default=None, alias="from")
    to: DeployedShare | None = None
    by: Actor
    approved: tuple[Approval, ...] = ()
    why: Text = ""
    verdict: Text | None = None
    rules: tuple[Text, ...] = Field(default=(), description="Rules that blocked, held, or were overridden.")
    change: AuditedChange | None = None
    evidence: tuple[EvidenceFile, ...] = ()
    policy: Text | None = Field(default=None, description="`sha256:` of promptci.yml at the time.")
    goldens: Text | None = Field(default=None, description="Digest of the golden cases.")
    tool: AuditTools

    @property
    def versions_text(self) -> str:
        """What changed, in words: `v1.2.0 → v1.3.0`, or of a canary `v1.3.0 for 5%, beside v1.2.0`.

        The shares are of the users; a canary that begins replaces nothing.
        """
        before, after = self.from_, self.to
        if before is not None and after is not None and self.environment is not None:
            if before.version == after.version:
                return f"{after.version}: {before.share:g}% → {after.share:g}%"
            if before.share == 100 and after.share < 100:
                return f"{after.version} for {after.share:g}%, beside {before.version}"
        words = [_describe_side(side) for side in (before, after) if side]
        return " → ".join([*words, "nothing"] if self.takes_out else words)

    @property
    def takes_out(self) -> bool:
        """Whether the prompt was taken out of its environment: nothing of it runs there afterwards."""
        return self.what == "deployed" and self.from_ is not None and self.to is None

    def line(self) -> bytes:
        """Return the entry as a line of the log, without its line feed; unknown fields are left out."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()


def _describe_side(side: DeployedShare) -> str:
    """Return a version, with its share where it has a part of the users."""
    return f"{side.version} for {side.share:g}%" if 0 < side.share < 100 else side.version
