"""How what an environment runs changed, commit by commit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from promptci.errors import GitError, PromptciError
from promptci.git import command
from promptci.git.repo import Repo
from promptci.registry.release import Release
from promptci.registry.released_prompt import VersionReader
from promptci.registry.tag_message import parse_trailers
from promptci.rollout import deployment
from promptci.rollout.deployment import Deployed
from promptci.rollout.deployments.environment_file import deployment_path
from promptci.wording import short_digest, short_sha

MAX_COMMITS = 1000
_FORMAT = "%H%x00%an <%ae>%x00%cI%x00%B%x00"


@dataclass(frozen=True, kw_only=True, slots=True)
class DeploymentChange:
    """One commit that changed what runs of a prompt."""

    environment: str
    prompt: str
    before: Deployed | None
    after: Deployed | None
    commit: str
    by: str
    at: str
    """ISO 8601 with its zone."""
    subject: str
    reason: str = ""
    """`Reason:` of the commit."""
    recorded: tuple[str, str] | None = None
    """The release that the commit deployed or rolled back to, as `NAME@VERSION`, and its fingerprint at that time."""


def list_changes(repo: Repo, environment: str, commit: str) -> list[DeploymentChange]:
    """Return the changes of an environment up to a commit, newest first; a file that could not be read is skipped.

    What the oldest commit of a shallow clone, or of a very long history, changed is not known and left out.
    """
    path = deployment_path(environment)
    printed = command.run_git(
        repo.root, "log", "--first-parent", f"--max-count={MAX_COMMITS}", f"--format={_FORMAT}", commit, "--", path
    )
    parts = printed.decode(errors="replace").split("\0")[:-1]
    commits = [parts[start : start + 4] for start in range(0, len(parts), 4)]
    changes: list[DeploymentChange] = []
    before: dict[str, Deployed] = {}
    boundary = _read_boundary(repo) if len(commits) < MAX_COMMITS else {commits[-1][0].strip()}
    for sha, by, at, message in reversed(commits):
        after = _read(repo, sha.strip(), path)
        if after is None:
            continue
        if sha.strip() in boundary:
            before = after
            continue
        trailers = parse_trailers(message)
        changes += [
            DeploymentChange(
                environment=environment,
                prompt=prompt,
                before=before.get(prompt),
                after=after.get(prompt),
                commit=sha.strip(),
                by=by,
                at=at,
                subject=message.strip().splitlines()[0] if message.strip() else "",
                reason=trailers.get("Reason", ""),
                recorded=_find_recorded(trailers),
            )
            for prompt in sorted(before.keys() | after.keys())
            if before.get(prompt) != after.get(prompt)
        ]
        before = after
    return changes[::-1]


def find_moved(changes: Iterable[DeploymentChange], release: Release) -> str | None:
    """Return whether the commit that deployed a release remembers it otherwise, or None."""
    for change in changes:
        name, fingerprint = change.recorded or ("", "")
        if name == release.name and fingerprint and release.fingerprint and fingerprint != release.fingerprint:
            return (
                f"{release.tag} was moved: commit {short_sha(change.commit)} deployed the fingerprint"
                f" {short_digest(fingerprint)}, and the tag now has {short_digest(release.fingerprint)}"
            )
    return None


def require_unmoved(repo: Repo, reader: VersionReader, release: Release, environments: Iterable[str]) -> None:
    """Raise GitError for a release that is not the one which later releases, or earlier deployments, remember."""
    head = repo.resolve("HEAD")
    changes = [change for environment in environments for change in list_changes(repo, environment, head)]
    if problem := reader.describe_moved(release) or find_moved(changes, release):
        raise GitError(problem, "Put the tag back where it was; a number is never used again.")


def _find_recorded(trailers: Mapping[str, str]) -> tuple[str, str] | None:
    name = trailers.get("Deployed") or trailers.get("Rolled-back-to")
    return (name, trailers.get("Fingerprint", "")) if name else None


def _read_boundary(repo: Repo) -> set[str]:
    """Return the oldest commits of a shallow clone: git shows each as if it had made everything that is in it."""
    place = command.run_git(repo.root, "rev-parse", "--git-path", "shallow").decode().strip()
    file = repo.root / place
    return set(file.read_text(encoding="utf-8").split()) if file.is_file() else set()


def _read(repo: Repo, sha: str, path: str) -> dict[str, Deployed] | None:
    """Return what runs by a commit; None where the file cannot be read."""
    done = command.try_git(repo.root, "show", f"{sha}:{path}")
    if done.returncode:
        return {}  # deleted
    try:
        return {deployed.prompt: deployed for deployed in deployment.load(done.stdout, path).prompts}
    except PromptciError:
        return None
