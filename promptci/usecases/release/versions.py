"""List the released versions of prompts, and name those that are not what was released."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from promptci.documents.document import Document
from promptci.errors import UsageError
from promptci.git.repo import Repo
from promptci.lazy_dataclass import dataclass
from promptci.registry import tags
from promptci.registry.release import Release
from promptci.registry.released_prompt import VersionReader
from promptci.registry.version_entry import VersionEntry, describe_release
from promptci.wording import short_sha


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionsRequest:
    """What is to be listed."""

    root: Path
    config_path: str
    name: str | None = None
    remote: str | None = None
    """Compare with the tags of this remote."""


class VersionsDocument(Document):
    """The releases that this clone knows."""

    schema_: Literal["promptci/versions/v1"] = Field(default="promptci/versions/v1", alias="schema")
    prompts: dict[str, list[VersionEntry]] = Field(description="Newest first.")
    problems: list[str] = Field(description="Tags that were moved, or are not what was released.")
    notes: list[str] = Field(default=[])

    @property
    def exit_code(self) -> int:
        """1 where a tag is not what was released."""
        return int(bool(self.problems))


def list_versions(request: VersionsRequest) -> VersionsDocument:
    """List releases; each is compared with its content, with what later releases say of it, and with a remote.

    Raises
    ------
    UsageError
        Where there is no release at all: nothing found is not the same as nothing wrong.
    """
    repo = Repo.discover(request.root)
    releases = tags.list_releases(repo.root)
    if request.name is not None:
        releases_by_prompt = {request.name: tags.require_releases(repo.root, releases, request.name)}
    elif releases:
        releases_by_prompt = releases
    else:
        raise UsageError("No released version was found", tags.no_tags_hint(repo.root))
    reader = VersionReader(repo, releases, request.config_path)
    prompts: dict[str, list[VersionEntry]] = {}
    for prompt, prompt_releases in releases_by_prompt.items():
        prompts[prompt] = [
            describe_release(release, reader.describe_problem(release)) for release in prompt_releases[::-1]
        ]
    problems = [entry.problem for entries in prompts.values() for entry in entries if entry.problem]
    notes: list[str] = []
    if request.remote:
        local_releases = [release for prompt_releases in releases_by_prompt.values() for release in prompt_releases]
        _compare_with_remote(local_releases, tags.list_remote_tags(repo.root, request.remote), request, problems, notes)
    return VersionsDocument(prompts=prompts, problems=problems, notes=notes)


def version_lines(document: VersionsDocument) -> Iterator[str]:
    """Yield what a person reads."""
    for prompt, entries in document.prompts.items():
        yield prompt
        yield from (f"  {entry.line}" for entry in entries)
    yield from (f"problem: {problem}" for problem in document.problems)
    yield from (f"note: {note}" for note in document.notes)


def _compare_with_remote(
    local_releases: list[Release],
    remote_commits: dict[str, str],
    request: VersionsRequest,
    problems: list[str],
    notes: list[str],
) -> None:
    """Add what differs between the tags of this clone and those of the remote."""
    remote = request.remote
    local_commits = {release.tag: release.commit for release in local_releases}
    for tag, commit in local_commits.items():
        if tag not in remote_commits:
            notes.append(f"{tag} is not at {remote}: push it, or it was deleted there")
        elif remote_commits[tag] != commit:
            problems.append(
                f"{tag} was moved: it is at {short_sha(commit)} here"
                f" and at {short_sha(remote_commits[tag])} at {remote}"
            )
    for tag in remote_commits.keys() - local_commits.keys():
        prompt = tag.removeprefix("prompts/").rpartition("/")[0]
        if request.name in {None, prompt}:
            notes.append(f"{tag} is at {remote} and not here: `git fetch {remote} --tags`")
