"""A deployment file and the versions it names -> the bundle of the environment."""

from promptci.errors import ConfigError, InputError, Problem, PromptciError
from promptci.git import command
from promptci.git.repo import SHA, SHALLOW_HINT, Repo
from promptci.lazy_dataclass import dataclass
from promptci.registry.bundle_document import BundleDocument, BundleEntry, BundleVersion, bundle_version
from promptci.registry.released_prompt import VersionReader
from promptci.rollout.deployment import Deployed
from promptci.rollout.deployments.environment_file import FOLDER, EnvironmentFile

MIN_SHA_DIGITS = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class BundleSource:
    """The commit that a bundle is made of."""

    repo: Repo
    commit: str
    serial: int
    made: str


def find_source(repo: Repo, commit: str) -> BundleSource:
    """Return a commit's time and serial: the number of commits up to it that touched the deployment files.

    Raises
    ------
    InputError
        In a shallow clone, where they cannot be counted.
    """
    if repo.is_shallow:
        message = "the serial of a bundle counts the commits that touched this folder, and the clone is shallow"
        raise InputError([Problem(path=FOLDER, message=message, hint=SHALLOW_HINT)])
    # All of history: with git's usual simplification, a merge could make the count fall.
    counted = command.run_git(repo.root, "rev-list", "--count", "--full-history", commit, "--", FOLDER)
    time = command.run_git(
        repo.root, "show", "--no-patch", "--format=%cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", commit
    )
    return BundleSource(repo=repo, commit=commit, serial=int(counted), made=time.decode().strip())


def build_bundle(file: EnvironmentFile, source: BundleSource, reader: VersionReader) -> BundleDocument:
    """Build the bundle.

    Raises
    ------
    ConfigError
        With every version that is not there, moves, or is not what was released, each with its line.
    """
    builder = _Builder(file, source, reader)
    prompts = {
        deployed.prompt: entry for deployed in file.deployment.prompts if (entry := builder.entry(deployed)) is not None
    }
    if builder.problems:
        raise ConfigError(builder.problems)
    return BundleDocument(
        environment=file.environment, serial=source.serial, made=source.made, commit=source.commit, prompts=prompts
    )


class _Builder:
    """Builds entries, and collects what is wrong with the file."""

    def __init__(self, file: EnvironmentFile, source: BundleSource, reader: VersionReader) -> None:
        self._file, self._repo, self._reader = file, source.repo, reader
        self.problems: list[Problem] = []

    def entry(self, deployed: Deployed) -> BundleEntry | None:
        """Return the entry of a prompt; None where a version of it cannot be used."""
        stable = self._version(deployed.prompt, deployed.stable, "stable")
        canary = None if deployed.canary is None else self._version(deployed.prompt, deployed.canary, "canary.version")
        if stable is None or (canary is None and deployed.canary is not None):
            return None
        salt = f"{deployed.prompt}@{(canary or stable).version}"
        return BundleEntry(stable=stable, canary=canary, share=round(100 * deployed.share), salt=salt)

    def _add(self, prompt: str, key: str, message: str, hint: str) -> None:
        self.problems.append(self._file.problem(prompt, key, message, hint))

    def _version(self, prompt: str, version: str, key: str) -> BundleVersion | None:
        try:
            named_version = self._reader.find(prompt, version)
        except PromptciError as error:
            inner = error.problems[0] if isinstance(error, InputError) else None
            message = f"{inner.path}: {inner.message}" if inner else error.message
            hint = (inner.hint if inner else error.hint) or "Write a released version."
            self._add(prompt, key, f"`{version}`: {message}", hint)
            return None
        release = named_version.release
        if release is None and not _is_fixed(self._repo, version, named_version.commit or ""):
            reason = f"`{version}` is not a release, a tag or a commit: what it stands for moves"
            self._add(prompt, key, reason, "Release it with `promptci release`, or write the commit.")
            return None
        if release and (moved := self._reader.describe_moved(release)):
            self._add(prompt, key, moved, "Put the tag back; a number is never used again.")
            return None
        return bundle_version(named_version.version, named_version.prompt)


def _is_fixed(repo: Repo, version: str, commit: str) -> bool:
    """Return whether a revision always means the same commit: a tag, or the commit's own name."""
    is_sha = len(version) >= MIN_SHA_DIGITS and commit.startswith(version)
    if is_sha or SHA.fullmatch(version):
        return True
    return command.try_git(repo.root, "show-ref", "--verify", "--quiet", f"refs/tags/{version}").returncode == 0
