"""Real git repositories for tests, apart from the machine's own settings."""

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from promptci.git.repo import Repo

WHO = {"NAME": "Ann", "EMAIL": "ann@example.com", "DATE": "2026-01-02T03:04:05+00:00"}
SETTINGS = {
    "core.fsync": "none",  # a repository of a test need not survive a power cut
    "core.looseCompression": "0",
    "gc.auto": "0",
    "maintenance.auto": "false",
}
ENVIRON = {
    "PATH": os.environ["PATH"],
    "HOME": os.devnull,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in WHO.items()},
    "GIT_CONFIG_COUNT": str(len(SETTINGS)),
    **{f"GIT_CONFIG_KEY_{number}": key for number, key in enumerate(SETTINGS)},
    **{f"GIT_CONFIG_VALUE_{number}": value for number, value in enumerate(SETTINGS.values())},
}


class RepoBuilder:
    """A repository that a test builds commit by commit."""

    def __init__(self, path: Path, *options: str) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        if options:
            self.git("init", "--quiet", "--initial-branch=main", *options)
        elif not (path / ".git").exists():
            shutil.copytree(_empty_repository(), path / ".git")

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.path), "-c", f"safe.directory={self.path}", *words],
            env=ENVIRON,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, files: Mapping[str, str | bytes]) -> "RepoBuilder":
        for name, content in files.items():
            place = self.path / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content.encode() if isinstance(content, str) else content)
        return self

    def remove(self, *names: str) -> "RepoBuilder":
        for name in names:
            (self.path / name).unlink()
        return self

    def rename(self, before: str, after: str) -> "RepoBuilder":
        (self.path / after).parent.mkdir(parents=True, exist_ok=True)
        (self.path / before).rename(self.path / after)
        return self

    def link(self, name: str, target: str) -> "RepoBuilder":
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).symlink_to(target)
        return self

    def commit(self, message: str = "change") -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--no-verify", f"--message={message}")
        return self._read_head() or self.git("rev-parse", "HEAD")

    def _read_head(self) -> str:
        """Return the commit of the branch that is checked out, where git keeps it in a file, without a process."""
        kept = self.path / ".git"
        name = (kept / "HEAD").read_text().strip() if kept.is_dir() else ""
        branch = kept / name.removeprefix("ref: ")
        return branch.read_text().strip() if name.startswith("ref: ") and branch.is_file() else ""

    def branch(self, name: str) -> "RepoBuilder":
        """Begin a branch at the commit that is checked out, as `git switch --create` does."""
        commit, place = self._read_head(), self.path / ".git" / "refs" / "heads" / name
        if not commit or place.exists():
            self.git("switch", "--quiet", "--create", name)
            return self
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{commit}\n")
        (self.path / ".git" / "HEAD").write_text(f"ref: refs/heads/{name}\n")
        return self

    @property
    def repo(self) -> Repo:
        return Repo.discover(self.path)


@cache
def _empty_repository() -> Path:
    """Return what `git init` makes, but for the hooks that are examples, made once in this process."""
    folder = Path(tempfile.mkdtemp(prefix="promptci-empty-repository-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    command = ["git", "-C", str(folder), "init", "--quiet", "--initial-branch=main"]
    subprocess.run(command, env=ENVIRON, check=True)
    for example in (folder / ".git" / "hooks").glob("*.sample"):
        example.unlink()
    return folder / ".git"


def clone_of(builder: RepoBuilder, place: Path, *options: str) -> Repo:
    """Clone over git's own protocol, as from a server; `--depth=1` makes it as shallow as actions/checkout does."""
    builder.git("config", "uploadpack.allowAnySHA1InWant", "true")
    subprocess.run(["git", "clone", "--quiet", *options, f"file://{builder.path}", str(place)], env=ENVIRON, check=True)
    return Repo.discover(place)
