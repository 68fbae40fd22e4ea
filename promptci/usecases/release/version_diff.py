"""Compare two versions of a prompt: model, variables, parameters, and the words of the messages."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from promptci.documents.document import Document
from promptci.git.repo import Repo
from promptci.lazy_dataclass import dataclass
from promptci.registry import tags
from promptci.registry.bump import compare_prompts, diff_messages
from promptci.registry.released_prompt import VersionReader
from promptci.report.html import line_diff
from promptci.report.model.report import DiffLineView
from promptci.report.terminal import styled_text
from promptci.report.terminal.styled_text import Style, StyledLine, StyledPiece

STYLES: dict[str, tuple[Style, Style]] = {
    "removed": ("removed", "removed-words"),
    "added": ("added", "added-words"),
    "context": ("plain", "plain"),
    "hunk": ("muted", "muted"),
}
"""Of a line's kind: its style, and that of words that differ."""


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


def diff_lines(diff: VersionDiff) -> Iterator[StyledLine]:
    """Yield what a person reads, with the words marked that differ within changed lines."""
    if diff.same:
        yield styled_text.line(f"{diff.prompt}: {diff.before} and {diff.after} are the same for a model")
        return
    yield styled_text.line(f"{diff.prompt}: {diff.before} → {diff.after} (suggests a {diff.bump} release)", "strong")
    for fact in diff.facts:
        yield styled_text.line(fact, indent=2)
    kinds: dict[str, Literal["removed", "added", "hunk"]] = {"-": "removed", "+": "added", "@": "hunk"}
    lines = [DiffLineView(kind=kinds.get(text[:1], "context"), text=text[1:]) for text in diff.messages]
    for text, marked in zip(diff.messages, line_diff.mark_changed_words(lines), strict=True):
        plain, words = STYLES[marked.kind]
        pieces = (StyledPiece(text=piece.text, style=words if piece.differs else plain) for piece in marked.pieces)
        yield StyledLine(pieces=(StyledPiece(text=text[:1], style=plain), *pieces), hang=1)
