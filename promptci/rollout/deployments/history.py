"""How what an environment runs changed, commit by commit."""

from promptci.errors import PromptciError
from promptci.git import command
from promptci.git.repo import Repo
from promptci.lazy_dataclass import dataclass
from promptci.registry.tag_message import parse_trailers
from promptci.rollout import deployment
from promptci.rollout.deployment import Deployed
from promptci.rollout.deployments.environment_file import deployment_path

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
                reason=parse_trailers(message).get("Reason", ""),
            )
            for prompt in sorted(before.keys() | after.keys())
            if before.get(prompt) != after.get(prompt)
        ]
        before = after
    return changes[::-1]


@dataclass(frozen=True, kw_only=True, slots=True)
class RollbackCommit:
    """A commit of `promptci rollback`."""

    version: str
    commit: str
    by: str
    at: str
    """ISO 8601 with its zone."""
    reason: str


def list_rollbacks(repo: Repo, prompt: str, commit: str) -> list[RollbackCommit]:
    """Return the rollbacks of a prompt up to a commit, newest first; also those that changed no environment."""
    command_line = ("log", "--first-parent", f"--max-count={MAX_COMMITS}", "--grep=^Rolled-back-to: ")
    printed = command.run_git(repo.root, *command_line, f"--format={_FORMAT}", commit)
    parts = printed.decode(errors="replace").split("\0")[:-1]
    rollbacks = []
    for start in range(0, len(parts), 4):
        sha, by, at, message = parts[start : start + 4]
        trailers = parse_trailers(message)
        name, _, version = trailers.get("Rolled-back-to", "").rpartition("@")
        if name == prompt:
            reason = trailers.get("Reason", "")
            rollbacks.append(RollbackCommit(version=version, commit=sha.strip(), by=by, at=at, reason=reason))
    return rollbacks


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
