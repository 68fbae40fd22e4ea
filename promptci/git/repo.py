"""A repository: revisions, where they part, and their snapshots. Nothing is checked out, reset or configured."""

import re
from pathlib import Path

from promptci.errors import GitError
from promptci.git import changes, command
from promptci.git.changes import FileChange
from promptci.git.objects import ObjectReader
from promptci.git.snapshot import WORK_TREE, CommitSnapshot, Snapshot, WorkTree

SHALLOW_HINT = "The clone is shallow: set `fetch-depth: 0` for actions/checkout, or run `git fetch --unshallow`."
SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")

DEEPEN_STEPS = (50, 500)
"""Commits by which a shallow history is deepened while the merge base is not in it."""


def is_zero_sha(rev: str) -> bool:
    """Whether a revision is all zeros, git's word for no commit."""
    return not rev.strip("0") and SHA.fullmatch(rev) is not None


class Repo:
    """A git repository, by the folder of its working tree."""

    def __init__(self, root: Path) -> None:
        """Use `discover`."""
        self.root = root
        self._objects = ObjectReader(root)

    @classmethod
    def discover(cls, start: Path) -> "Repo":
        """Find the repository that a folder is in; GitError where it is in none."""
        start = start.resolve()
        # git's own search refuses a folder of another owner before `safe.directory` can name it.
        for folder in (start, *start.parents):
            if (folder / ".git").exists():
                return cls(folder)
        raise GitError(f"{start} is not in a git repository", "Run `git init` and commit, or give --repo.")

    @property
    def is_shallow(self) -> bool:
        """Whether older commits are missing here."""
        return command.is_shallow(self.root)

    def resolve(self, rev: str) -> str:
        """Return a revision's commit, fetching it from `origin` where a shallow clone lacks it.

        Raises
        ------
        GitError
            Where there is no such commit.
        """
        if rev.startswith("-") or not rev.strip() or "\0" in rev:
            raise GitError(f"`{rev}` is not a revision", "Give a branch, a tag or a commit.")
        if commit := self._commit(rev):
            return commit
        if SHA.fullmatch(rev):
            # One targeted fetch: a shallow clone has the head only, and the base is one commit away. (In a whole clone,
            # `--depth` would cut off existing history.)
            self._fetch(*(["--depth=1"] if self.is_shallow else []), "origin", rev)
            if commit := self._commit(rev):
                return commit
        elif commit := self._commit(f"origin/{rev}"):
            return commit
        if rev == "HEAD":
            raise GitError("The repository has no commit yet", "Commit first: `git add --all`, then `git commit`.")
        raise GitError(
            f"There is no commit `{rev}` here", SHALLOW_HINT if self.is_shallow else "Is it spelt right, and fetched?"
        )

    def merge_base(self, first: str, second: str) -> str:
        """Return the commit where two lines of history part: the newest where there are several."""
        return self.merge_bases(first, second)[0]

    def merge_bases(self, first: str, second: str) -> tuple[str, ...]:
        """Return the commits where two lines of history part, fetching more of a shallow clone's history to find them.

        There are several after criss-cross merges, where each line was merged into the other. The newest is first.
        The base of all is the empty tree: with all zeros on one side (a branch's first push), they are the answer.

        Raises
        ------
        GitError
            Where the two never met, as far as is known.
        """
        if zeros := next((rev for rev in (first, second) if is_zero_sha(rev)), None):
            return (zeros,)
        shas = [self.resolve(first), self.resolve(second)]
        for depth in (*DEEPEN_STEPS, None):
            done = command.try_git(self.root, "merge-base", "--all", *shas)
            if done.returncode == 0:
                return _sort_newest_first(self.root, done.stdout.decode().split())
            if depth is None or not self.is_shallow:
                break
            # The head of a pull request may be a merge that only this clone has: then its side stays as it is.
            if not self._fetch(f"--deepen={depth}", "origin", *shas):
                for sha in shas:
                    self._fetch(f"--deepen={depth}", "origin", sha)
        fix = SHALLOW_HINT if self.is_shallow else "Give --base a commit to compare with."
        raise GitError(f"`{first}` and `{second}` have no common history here", fix)

    def default_branch(self) -> str:
        """Return the branch that changes are merged into: origin's own, else main or master."""
        done = command.try_git(self.root, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
        named = done.stdout.decode().strip() if done.returncode == 0 else ""
        for branch in filter(None, (named, "origin/main", "origin/master", "main", "master")):
            if self._commit(branch):
                return branch
        self.resolve("HEAD")  # raises where there is no commit at all
        raise GitError("There is no default branch to compare with", "Give --base a branch, tag or commit.")

    def commit_message(self, sha: str) -> str:
        """Return the message of a commit."""
        return command.run_git(self.root, "show", "--no-patch", "--format=%B", sha).decode(errors="replace")

    def snapshot(self, rev: str) -> Snapshot:
        """Return the files of a revision; `.` is the working tree, all zeros (a branch's first push) the empty tree."""
        if rev == WORK_TREE:
            return WorkTree(self.root)
        if is_zero_sha(rev):
            empty = command.run_git(self.root, "hash-object", "-t", "tree", "--stdin", data=b"")
            return CommitSnapshot(self.root, empty.decode().strip(), self._objects.open(), "the empty tree")
        objects = self._objects.open()
        try:
            return CommitSnapshot(self.root, self.resolve(rev), objects)
        except BaseException:
            objects.close()
            raise

    def changes(self, base: Snapshot, head: Snapshot) -> tuple[FileChange, ...]:
        """Return what differs between two snapshots."""
        return changes.get_file_changes(self.root, base, head)

    def _commit(self, rev: str) -> str | None:
        if self._objects.is_open and (commit := self._objects.find_commit(rev)):
            return commit
        done = command.try_git(self.root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}")
        return done.stdout.decode().strip() or None if done.returncode == 0 else None

    def _fetch(self, *words: str) -> bool:
        return command.try_git(self.root, "fetch", "--no-tags", "--quiet", *words).returncode == 0


def _sort_newest_first(root: Path, commits: list[str]) -> tuple[str, ...]:
    if len(commits) < 2:
        return tuple(commits)
    done = command.run_git(root, "show", "--no-patch", "--format=%ct %H", *commits)
    dated = [line.split() for line in done.decode().splitlines()]
    return tuple(sha for _, sha in sorted(dated, key=lambda pair: (-int(pair[0]), pair[1])))
