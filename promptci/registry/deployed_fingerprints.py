"""What the commits that deployed a release, or rolled back to it, remember of its content."""

from promptci.git import command
from promptci.git.repo import Repo
from promptci.registry.tag_message import parse_trailers

MAX_COMMITS = 1000
_TRAILERS = ("Deployed", "Rolled-back-to")


def list_deployed_fingerprints(repo: Repo, revision: str) -> dict[str, list[tuple[str, str]]]:
    """Return commit and fingerprint of each deployment, by `NAME@VERSION`, newest first.

    Every environment counts, also one that is gone, and so do commits that came by a merge: a version that ran
    anywhere is the same version everywhere. Where there is no such revision, nothing was deployed.
    """
    pattern = f"--grep=^({'|'.join(_TRAILERS)}): "
    done = command.try_git(
        repo.root, "log", f"--max-count={MAX_COMMITS}", "--extended-regexp", pattern, "--format=%H%x00%B%x00", revision
    )
    parts = done.stdout.decode(errors="replace").split("\0")[:-1] if done.returncode == 0 else []
    fingerprints: dict[str, list[tuple[str, str]]] = {}
    for sha, message in zip(parts[::2], parts[1::2], strict=True):
        trailers = parse_trailers(message)
        name = next((trailers[key] for key in _TRAILERS if key in trailers), "")
        if name and trailers.get("Fingerprint"):
            fingerprints.setdefault(name, []).append((sha.strip(), trailers["Fingerprint"]))
    return fingerprints
