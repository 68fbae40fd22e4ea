"""Record the commit of a release in what is built from it, so that `promptci init` can pin the Action by it.

The commit is recorded where the version's tag points at HEAD and no tracked file differs from it. An sdist carries the
record to the wheel that is built from it; other builds have none.
"""

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

RECORD = "promptci/_data/release-commit"


def run_git(root: Path, *words: str) -> str | None:
    """Return what git prints; None where it fails or is not installed."""
    try:
        done = subprocess.run(["git", "-C", root, *words], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def find_release_commit(root: Path, version: str) -> str | None:
    """Return the commit of a clone that the version's tag points at, with nothing changed; None otherwise."""
    top = run_git(root, "rev-parse", "--show-toplevel")
    if not top or Path(top).resolve() != root.resolve():  # an sdist may be unpacked within another repository
        return None
    commit = run_git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    tagged = run_git(root, "rev-parse", "--verify", "--quiet", f"refs/tags/v{version}^{{commit}}")
    changed = run_git(root, "status", "--porcelain", "--untracked-files=no")
    return commit if commit and commit == tagged and changed == "" else None


class ReleaseCommitHook(BuildHookInterface[Any]):
    """Adds the record to wheels and sdists."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the record beside the tree, and have it included."""
        if version == "editable":  # it is a clone, whose commit changes
            return
        commit = find_release_commit(Path(self.root), self.metadata.version)
        if commit:
            self.folder = tempfile.TemporaryDirectory()
            record = Path(self.folder.name) / "release-commit"
            record.write_text(f"{commit}\n", encoding="utf-8")
            build_data["force_include"][str(record)] = RECORD

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the file that was included."""
        if hasattr(self, "folder"):
            self.folder.cleanup()
