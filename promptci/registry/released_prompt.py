"""The prompts of a revision by their names, and whether a release still is what was released."""

from collections.abc import Iterable, Sequence
from contextlib import closing

from promptci.config.find import load_revision_config
from promptci.errors import GitError, InputError, Problem, UsageError
from promptci.git.repo import Repo
from promptci.git.snapshot import WORK_TREE, Snapshot
from promptci.lazy_dataclass import dataclass
from promptci.prompts.find import find_selected_files
from promptci.prompts.load import load_prompts
from promptci.prompts.model import Prompt
from promptci.registry.deployed_fingerprints import list_deployed_fingerprints
from promptci.registry.number import ReleaseNumber
from promptci.registry.release import TAG_PREFIX, Release
from promptci.registry.tags import Releases
from promptci.wording import join_names, short_digest, short_sha, suggest

MAX_NUMBERS = 10
"""Releases that a message lists: the last ones."""


def load_prompts_by_name(snapshot: Snapshot, config_path: str) -> tuple[dict[str, Prompt], list[Problem]]:
    """Return the usable prompts of a revision by name, and every problem of the others."""
    config = load_revision_config(snapshot, config_path)
    files = find_selected_files(snapshot, config.prompts.include)
    prompts, problems = load_prompts(snapshot.read, files, config.prompt_options, snapshot.glob)
    return {prompt.name: prompt for prompt in prompts.values()}, problems


def describe_uncommitted(repo: Repo, config_path: str, names: Sequence[str]) -> list[str]:
    """Return a warning for each prompt that the working tree has in another version than HEAD; no `names`: of all."""
    try:
        with closing(repo.snapshot("HEAD")) as head, closing(repo.snapshot(WORK_TREE)) as tree:
            committed, edited = (load_prompts_by_name(snapshot, config_path)[0] for snapshot in (head, tree))
    except InputError:  # what is released does not depend on the working tree
        return []
    return [
        f"the edit of {prompt.path} in the working tree is not committed, and is not released; commit it first"
        for name, prompt in edited.items()
        if name in committed and name in (names or committed) and prompt.fingerprint != committed[name].fingerprint
    ]


def describe_unknown_prompt(name: str, prompts: Iterable[str], revision: str) -> tuple[str, str]:
    """Return that a revision has no prompt of a name, and the nearest name, or those that there are."""
    names = list(prompts)
    listed = (
        f"Prompts there: {join_names(names, last=', ')}." if names else "No prompt is found; see `prompts.include`."
    )
    return f"There is no prompt `{name}` in {revision}", f"{suggest(name, names)} {listed}".lstrip()


def describe_versions(prompt: str, version: str, releases: Sequence[Release]) -> str:
    """Return the release of a prompt that may be meant by `version`, and those that there are."""
    numbers = [str(release.number) for release in releases]
    released = f"are {', '.join(numbers[-MAX_NUMBERS:])}" if numbers else "do not exist yet"
    also = "a tag, a commit, or `.` for the working tree is a version too"
    return f"{suggest(version, numbers, cutoff=0.3)} Releases of `{prompt}` {released}; {also}.".lstrip()


def load_prompt_named(snapshot: Snapshot, config_path: str, name: str) -> Prompt:
    """Return one prompt of a revision.

    Raises
    ------
    UsageError
        Where there is none of this name.
    InputError
        Where there may be one, in a file that cannot be read.
    """
    prompts, problems = load_prompts_by_name(snapshot, config_path)
    if name in prompts:
        return prompts[name]
    if problems:
        raise InputError(problems)
    raise UsageError(*describe_unknown_prompt(name, prompts, snapshot.label))


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedVersion:
    """A version of a prompt and its content."""

    version: str
    """`v1.2.0` for a release, else the revision as it was written."""
    commit: str | None
    """None: the working tree."""
    prompt: Prompt
    release: Release | None = None
    """None: it was not released."""


class VersionReader:
    """Finds versions of prompts in a repository, each commit being read once.

    `revision` has the deployments that remember what was released.
    """

    def __init__(self, repo: Repo, releases: Releases, config_path: str, *, revision: str = "HEAD") -> None:
        self._repo, self._releases, self._config_path, self._revision = repo, releases, config_path, revision
        self._deployed: dict[str, list[tuple[str, str]]] | None = None
        self._prompts: dict[str, tuple[dict[str, Prompt], list[Problem]]] = {}

    def find(self, prompt: str, version: str) -> NamedVersion:
        """Return what a version names: a release (`v1.2.0` or its tag), a tag, a commit, or `.` for the working tree.

        Raises
        ------
        UsageError, GitError, InputError
            Where there is no such version, or its prompt cannot be read, or its release is not what was released.
        """
        if version == WORK_TREE:
            loaded = load_prompt_named(self._repo.snapshot(WORK_TREE), self._config_path, prompt)
            return NamedVersion(version=version, commit=None, prompt=loaded)
        release = self.find_release(prompt, version)
        commit = release.commit if release else self._resolve(prompt, version)
        if release and (problem := self.describe_mismatch(release)):
            raise GitError(problem, "Release the present content under a new number; a number is never used again.")
        loaded = self._load(prompt, commit)
        return NamedVersion(
            version=str(release.number) if release else version, commit=commit, prompt=loaded, release=release
        )

    def _resolve(self, prompt: str, version: str) -> str:
        """Return the commit of a version that is no release; where there is none, name the versions that there are."""
        try:
            return self._repo.resolve(version)
        except GitError as error:
            releases = self._releases.get(prompt, ())
            if not releases:  # an unknown prompt is the first thing to say
                load_prompt_named(self._repo.snapshot(WORK_TREE), self._config_path, prompt)
            raise GitError(error.message, describe_versions(prompt, version, releases)) from error

    def find_release(self, prompt: str, version: str) -> Release | None:
        """Return the release that `v1.2.0` or its tag names; None where it names none."""
        number = ReleaseNumber.find(version.removeprefix(f"{TAG_PREFIX}{prompt}/"))
        return next((release for release in self._releases.get(prompt, ()) if release.number == number), None)

    def describe_problem(self, release: Release) -> str | None:
        """Return in what way a release is not what was released, or was moved, or None."""
        return self.describe_mismatch(release) or self.describe_moved(release)

    def describe_mismatch(self, release: Release) -> str | None:
        """Return in what way a release is not what was released, or None."""
        if not release.fingerprint:
            return f"{release.tag} was not made by `promptci release`: it has no `Fingerprint:`"
        try:
            fingerprint = self._load(release.prompt, release.commit).fingerprint
        except (UsageError, InputError, GitError) as error:
            return f"{release.tag}: its commit {short_sha(release.commit)} does not hold the prompt: {error}"
        if fingerprint != release.fingerprint:
            return (
                f"{release.tag}: the content of its commit {short_sha(release.commit)} has the fingerprint"
                f" {short_digest(fingerprint)}, and {short_digest(release.fingerprint)} was released:"
                " the tag was moved or the file rewritten"
            )
        return None

    def require_unmoved(self, release: Release) -> None:
        """Raise GitError for a release that is not the one which later releases, or earlier deployments, remember."""
        if problem := self.describe_moved(release):
            raise GitError(problem, "Put the tag back where it was; a number is never used again.")

    def describe_moved(self, release: Release) -> str | None:
        """Return whether a later release, or a commit that deployed this one, remembers it otherwise, or None."""
        for later in self._releases.get(release.prompt, ()):
            if later.replaces and later.replaces[0] == release.number and release.fingerprint:
                remembered = later.replaces[1]
                if remembered and not release.fingerprint.startswith(remembered.rstrip("…")):
                    return (
                        f"{release.tag} was moved: {later.number} replaced the fingerprint {short_digest(remembered)},"
                        f" and the tag now has {short_digest(release.fingerprint)}"
                    )
        if self._deployed is None:
            self._deployed = list_deployed_fingerprints(self._repo, self._revision)
        for commit, fingerprint in self._deployed.get(release.name, ()):
            if release.fingerprint and fingerprint != release.fingerprint:
                return (
                    f"{release.tag} was moved: commit {short_sha(commit)} deployed the fingerprint"
                    f" {short_digest(fingerprint)}, and the tag now has {short_digest(release.fingerprint)}"
                )
        return None

    def _load(self, prompt: str, commit: str) -> Prompt:
        if commit not in self._prompts:
            with closing(self._repo.snapshot(commit)) as snapshot:
                self._prompts[commit] = load_prompts_by_name(snapshot, self._config_path)
        prompts, problems = self._prompts[commit]
        if prompt not in prompts:
            if problems:
                raise InputError(problems)
            raise UsageError(*describe_unknown_prompt(prompt, prompts, short_sha(commit)))
        return prompts[prompt]
