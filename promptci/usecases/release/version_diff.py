"""Compare two versions of a prompt: model, variables, parameters, and the messages line by line."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from promptci.documents.document import Document
from promptci.git.repo import Repo
from promptci.registry import tags
from promptci.registry.bump import compare_prompts, diff_messages
from promptci.registry.released_prompt import VersionReader


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionDiffRequest:
    """What is to be compared."""

    root: Path
    config_path: str
    prompt: str
    before: str
    after: str


class VersionDiff(Document):
    """What differs between two versions of a prompt."""

    schema_: Literal["promptci/version-diff/v1"] = Field(default="promptci/version-diff/v1", alias="schema")
    prompt: str
    before: str
    after: str
    same: bool = Field(description="Whether both have the same fingerprint.")
    bump: str = Field(description="Part of the number that the change suggests to raise.")
    facts: list[str] = Field(description="Such as `model: gpt-4o → gpt-5`.")
    messages: list[str] = Field(description="Unified diff of the messages.")


def diff_versions(request: VersionDiffRequest) -> VersionDiff:
    """Compare two versions, each a release, a tag, a commit, or `.` for the working tree.

    Raises
    ------
    UsageError
        Where there is no such version.
    """
    repo = Repo.discover(request.root)
    releases = tags.list_releases(repo.root)
    reader = VersionReader(repo, releases, request.config_path)
    for version in (request.before, request.after):
        if tags.is_number(version):
            tags.find_release(repo.root, releases, request.prompt, version)
    before, after = (reader.find(request.prompt, version) for version in (request.before, request.after))
    comparison = compare_prompts(before.prompt, after.prompt)
    return VersionDiff(
        prompt=request.prompt,
        before=before.version,
        after=after.version,
        same=before.prompt.fingerprint == after.prompt.fingerprint,
        bump=comparison.bump,
        facts=list(comparison.facts),
        messages=diff_messages(before.prompt, after.prompt),
    )


def diff_lines(diff: VersionDiff) -> Iterator[str]:
    """Yield what a person reads."""
    if diff.same:
        yield f"{diff.prompt}: {diff.before} and {diff.after} are the same for a model"
        return
    yield f"{diff.prompt}: {diff.before} → {diff.after} (suggests a {diff.bump} release)"
    yield from (f"  {fact}" for fact in diff.facts)
    yield from diff.messages
