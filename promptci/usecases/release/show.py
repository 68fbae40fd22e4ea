"""Show one version of a prompt: what is sent to the model, and how it was released."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from promptci.documents.document import Document
from promptci.files.canonical import canonical_json
from promptci.git.repo import Repo
from promptci.lazy_dataclass import dataclass
from promptci.registry import tags
from promptci.registry.bundle_document import BundleVersion, bundle_version
from promptci.registry.released_prompt import VersionReader
from promptci.registry.version_entry import VersionEntry, describe_release
from promptci.wording import short_sha


@dataclass(frozen=True, kw_only=True, slots=True)
class ShowRequest:
    """What is to be shown."""

    root: Path
    config_path: str
    name: str
    """NAME@VERSION."""


class ShownVersion(Document):
    """One version and its content."""

    schema_: Literal["promptci/version/v1"] = Field(default="promptci/version/v1", alias="schema")
    prompt: str
    path: str = Field(description="File at that version.")
    release: VersionEntry | None = Field(description="null: a commit or the working tree, which was not released.")
    content: BundleVersion


def show_version(request: ShowRequest) -> ShownVersion:
    """Return a version: a release, a tag, a commit, or `.` for the working tree.

    Raises
    ------
    UsageError
        Where there is no such version.
    GitError
        Where a release is not what was released.
    """
    repo = Repo.discover(request.root)
    prompt, version = tags.split_name(request.name)
    releases = tags.list_releases(repo.root)
    reader = VersionReader(repo, releases, request.config_path)
    if tags.is_number(version):
        tags.find_release(repo.root, releases, prompt, version)
    named_version = reader.find(prompt, version)
    moved = reader.describe_moved(named_version.release) if named_version.release else None
    return ShownVersion(
        prompt=prompt,
        path=named_version.prompt.path,
        release=None if named_version.release is None else describe_release(named_version.release, moved),
        content=bundle_version(named_version.version, named_version.prompt),
    )


def shown_lines(shown: ShownVersion) -> Iterator[str]:
    """Yield what a person reads."""
    content, release = shown.content, shown.release
    yield f"{shown.prompt}@{content.version} ({shown.path})"
    if release is None:
        yield "  not released"
    else:
        yield f"  {release.line}"
        yield f"  tag {release.tag}{', signed' if release.signed else ''}, commit {short_sha(release.commit)}"
        if release.replaces:
            yield f"  replaces {release.replaces}; {release.bump}"
        if release.problem:
            yield f"  problem: {release.problem}"
    yield f"  fingerprint {content.fingerprint}"
    yield f"  model {content.prompt.model}, parameters {canonical_json(content.prompt.parameters)}"
    if content.prompt.response_format != "text":
        yield f"  response format {content.prompt.response_format}"
    for message in content.prompt.messages:
        yield f"[{message.role}]"
        yield from message.content.splitlines()
