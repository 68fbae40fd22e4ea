"""What is shown of a release: who, when, why and on which evidence."""

from pydantic import BaseModel, ConfigDict, Field

from promptci.registry.release import Release


class VersionEntry(BaseModel):
    """One release, for a person or a program."""

    model_config = ConfigDict(frozen=True)

    version: str
    tag: str
    commit: str
    at: str = Field(description="ISO 8601; empty for a tag that is not annotated.")
    by: str
    fingerprint: str
    replaces: str | None
    bump: str | None
    verdict: str | None = Field(description="Verdict and numbers of the result that it was released on.")
    reason: str | None
    pull_request: str | None
    proposed_by: str | None
    approved_by: str | None
    signed: bool
    problem: str | None = Field(default=None, description="In what way it is not what was released.")

    @property
    def evidence(self) -> str:
        """Why it was released, in words."""
        facts = [
            "no result" if self.verdict in {None, "none"} else f"verdict {self.verdict}",
            f"pull request {self.pull_request}" if self.pull_request else "",
            f"approved by {self.approved_by}" if self.approved_by else "",
            f"released because {self.reason}" if self.reason else "",
        ]
        return ", ".join(fact for fact in facts if fact)

    @property
    def line(self) -> str:
        """The release in one line."""
        author = self.by.partition(" <")[0] or "unknown"
        return f"{self.version}  {self.at[:10] or 'no date'}, {author}: {self.evidence}"


def describe_release(release: Release, problem: str | None = None) -> VersionEntry:
    """Return what is shown of a release."""
    trailers = release.trailers
    return VersionEntry(
        version=str(release.number),
        tag=release.tag,
        commit=release.commit,
        at=release.at,
        by=release.tagged_by,
        fingerprint=release.fingerprint,
        replaces=str(release.replaces[0]) if release.replaces else None,
        bump=trailers.get("Bump"),
        verdict=trailers.get("Verdict"),
        reason=trailers.get("Reason"),
        pull_request=trailers.get("Pull-request"),
        proposed_by=trailers.get("Proposed-by"),
        approved_by=trailers.get("Approved-by"),
        signed=release.signed,
        problem=problem,
    )
