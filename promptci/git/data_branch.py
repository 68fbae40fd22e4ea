"""A branch that holds data and is never checked out: git's plumbing adds files to it, pushed with a lease."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from promptci.errors import GitError
from promptci.git import command, new_commit, user_git
from promptci.git.objects import ObjectReader
from promptci.lazy_dataclass import dataclass

HISTORY_BRANCH = "promptci/history"
MAX_FILE_BYTES = 256 * 2**20
FALLBACK_IDENTITY = ("promptci", "promptci@localhost")
"""Author of commits where git knows no user, as on a runner."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BranchFiles:
    """The files of a branch at one commit."""

    root: Path
    commit: str | None
    """None: the branch does not exist yet."""

    def read(self, path: str) -> bytes | None:
        """Return a file's content; None where there is no such file.

        Raises
        ------
        GitError
            If it is larger than `MAX_FILE_BYTES`.
        """
        if self.commit is None:
            return None
        done = command.try_git(self.root, "cat-file", "--batch-check", data=f"{self.commit}:{path}\n".encode())
        words = done.stdout.split()
        if done.returncode or len(words) != 3 or words[1] != b"blob":
            return None
        if int(words[2]) > MAX_FILE_BYTES:
            raise GitError(f"{path} on the history branch is over {MAX_FILE_BYTES // 2**20} MiB")
        return command.run_git(self.root, "cat-file", "blob", words[0].decode())

    def read_all(self, folder: str = "") -> Iterator[tuple[str, bytes]]:
        """Yield path and content of the regular files in a folder, or of all: with one process for all of them.

        Raises
        ------
        GitError
            If one is larger than `MAX_FILE_BYTES`.
        """
        reader = ObjectReader(self.root).open()
        try:
            for oid, path in self._entries(folder):
                size, content = reader.read(oid, MAX_FILE_BYTES)
                if size > MAX_FILE_BYTES:
                    raise GitError(f"{path} on the history branch is over {MAX_FILE_BYTES // 2**20} MiB")
                yield path, content
        finally:
            reader.close()

    def list_paths(self, folder: str = "") -> list[str]:
        """Return the paths of the regular files in a folder, sorted by their bytes; all of them without a folder."""
        return [path for _, path in self._entries(folder)]

    def list_other_paths(self) -> list[str]:
        """Return the paths of everything that is no regular file, such as links, which are never read."""
        return [path for _, path in self._entries("", is_regular=False)]

    def _entries(self, folder: str, *, is_regular: bool = True) -> list[tuple[str, str]]:
        """Return object id and path of each regular file, or of everything else."""
        if self.commit is None:
            return []
        printed = command.run_git(self.root, "ls-tree", "-r", "-z", self.commit, "--", *([folder] if folder else []))
        entries = [entry.split("\t", 1) for entry in command.split_nul(printed)]
        return [(words.split()[2], path) for words, path in entries if words.startswith("100") is is_regular]


Change = Callable[[BranchFiles], Mapping[str, bytes | None]]
"""Takes the branch's files and returns the new contents of some of them (None: delete it). Called once per try."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DataBranch:
    """A branch of a repository, and of its remote where it has one."""

    root: Path
    remote: str | None = None
    """None: the branch is only in this clone."""
    name: str = HISTORY_BRANCH

    @property
    def ref(self) -> str:
        """The branch's full name here: the remote's copy, or the branch itself."""
        return f"refs/remotes/{self.remote}/{self.name}" if self.remote else self._head

    @property
    def missing_hint(self) -> str:
        """What to do where this clone does not have the branch."""
        if self.remote:
            return f"`git fetch {self.remote} {self.name}` fetches it, if the remote has it."
        return (
            "The repository has no remote to fetch it from: `git remote add origin ADDRESS` adds one, and"
            " `promptci history fetch` fetches it."
        )

    @property
    def _head(self) -> str:
        return f"refs/heads/{self.name}"

    def files(self) -> BranchFiles:
        """Return the files as this clone knows them."""
        done = command.try_git(self.root, "rev-parse", "--verify", "--quiet", f"{self.ref}^{{commit}}")
        return BranchFiles(root=self.root, commit=done.stdout.decode().strip() or None if not done.returncode else None)

    def fetch(self) -> BranchFiles:
        """Fetch the branch from its remote and return its files; the clone's other branches stay as they are.

        Raises
        ------
        GitError
            If the remote cannot be reached, or its branch was rewritten: what this clone had is no longer part of it.
        """
        if self.remote is None:
            return self.files()
        before = self.files()
        tip = self.read_tip()
        if tip is None:
            if before.commit:
                raise GitError(f"The branch {self.name} was deleted at {self.remote}", self._restore_hint(before))
            return before
        if tip == before.commit:
            return before
        # In a whole clone `--depth` would make a shallow one of it.
        depth = ["--depth=1"] if command.is_shallow(self.root) and before.commit is None else []
        refspec = f"+{self._head}:{self.ref}"
        user_git.run_user_git(self.root, "fetch", "--quiet", "--no-tags", *depth, self.remote, refspec)
        after = self.files()
        if before.commit and after.commit and not self._contains(after.commit, before.commit):
            command.run_git(self.root, "update-ref", self.ref, before.commit)  # stays here as evidence
            raise GitError(f"The branch {self.name} was rewritten at {self.remote}", self._restore_hint(before))
        return after

    def read_tip(self) -> str | None:
        """Return the commit at which the branch stands at its remote, now; None where there is no such branch."""
        if self.remote is None:
            return self.files().commit
        listed = user_git.run_user_git(self.root, "ls-remote", self.remote, self._head).split()
        return listed[0].decode() if listed else None

    def append(self, change: Change, message: str) -> str | None:
        """Commit a change and push it; return the commit, or None where nothing would change.

        Where another writer was faster, the change is computed again from the new files: at most ten times, each
        after a random wait.

        Raises
        ------
        GitError
            If the branch cannot be read or pushed.
        """
        for _ in new_commit.attempts():
            files = self.fetch()
            contents = {path: data for path, data in change(files).items() if files.read(path) != data}
            if not contents:
                return None
            identity = _choose_identity(self.root)
            commit = new_commit.write_commit(self.root, files.commit, contents, message, identity=identity)
            if self._publish(files.commit, commit):
                return commit
        raise GitError(f"{self.name} could not be written: others write at the same time", "Try again.")

    def _contains(self, commit: str, ancestor: str) -> bool:
        done = command.try_git(self.root, "merge-base", "--is-ancestor", ancestor, commit)
        if done.returncode == 0:
            return True
        # A shallow clone may end above the ancestor.
        if not command.is_shallow(self.root) or self.remote is None:
            return False
        user_git.try_user_git(self.root, "fetch", "--quiet", "--no-tags", "--deepen=1000", self.remote, self._head)
        return command.try_git(self.root, "merge-base", "--is-ancestor", ancestor, commit).returncode == 0

    def _restore_hint(self, files: BranchFiles) -> str:
        return f"This clone has it up to {files.commit}. Find out who did this, then push that commit again."

    def _publish(self, old: str | None, new: str) -> bool:
        """Move the branch from `old` to `new`; return False where it has moved in the meantime."""
        if self.remote is None:
            return self._move(self._head, old, new)
        output = new_commit.push_commit(self.root, self.remote, self._head, old=old, new=new)
        if output is None:
            self._move(self.ref, old, new)  # git does it too where the remote's refspec covers the branch
            return True
        if new_commit.is_race(output):
            return False
        hint = f"The workflow needs `contents: write`, and no rule may forbid pushes to {self.name}."
        raise GitError(f"git push failed: {new_commit.describe_refusal(output)}", hint)

    def _move(self, ref: str, old: str | None, new: str) -> bool:
        return command.try_git(self.root, "update-ref", ref, new, old or "0" * len(new)).returncode == 0


def _choose_identity(root: Path) -> list[str]:
    """Return settings for git: none where it knows who commits."""
    if user_git.try_user_git(root, "var", "GIT_COMMITTER_IDENT").returncode == 0:
        return []
    name, email = FALLBACK_IDENTITY
    return ["-c", f"user.name={name}", "-c", f"user.email={email}"]


def find_branch(root: Path, remote: str, name: str = HISTORY_BRANCH) -> DataBranch:
    """Return the branch of a remote; the one of this clone alone where there is no such remote."""
    remotes = command.run_git(root, "remote").decode().split()
    return DataBranch(root=root, remote=remote if remote in remotes else None, name=name)


def has_history_branch(root: Path) -> bool:
    """Return whether this clone knows the branch promptci/history, its own or a remote's."""
    printed = command.run_git(root, "for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes")
    return any(ref.endswith(f"/{HISTORY_BRANCH}") for ref in printed.decode(errors="replace").splitlines())
