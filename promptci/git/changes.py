"""What changed between two revisions, file by file, as `git diff --raw -z` reports it."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from promptci.errors import InputError
from promptci.git import command
from promptci.git.snapshot import Snapshot
from promptci.lazy_dataclass import dataclass

MAX_RENAMES = 1000
KINDS = {"A": "added", "D": "deleted", "M": "changed", "T": "changed", "R": "renamed", "C": "copied"}


@dataclass(frozen=True, kw_only=True, slots=True)
class FileChange:
    """One file that differs."""

    base_path: str | None
    """Path at base; None for an added file."""
    head_path: str | None
    """Path at head; None for a deleted one."""
    kind: str
    """`added`, `changed`, `deleted`, `renamed` (edited or not) or `copied`."""


def get_file_changes(root: Path, base: Snapshot, head: Snapshot) -> tuple[FileChange, ...]:
    """Return the changes, in the order of their paths. A change of mode alone is none.

    Renames with edits are found among up to a thousand files (git's own bound, past which its search would take
    minutes), those without edits among any number. In the working tree, a new file that git does not track yet shows
    as added; where a deleted file had the same content, as renamed. Files that git was told not to look
    at are compared too.
    """
    words = ["diff", "--raw", "-z", "--no-abbrev", "--no-ext-diff", "--no-textconv", "--find-renames", "--find-copies"]
    words += ["--ignore-submodules", f"-l{MAX_RENAMES}"]
    if head.sha is not None:
        return _sort_changes(_parse(command.run_git(root, *words, str(base.sha), head.sha, "--")))
    on_disk = set(head.paths())
    changes = [
        _restore_on_disk(change, on_disk) for change in _parse(command.run_git(root, *words, str(base.sha), "--"))
    ]
    tags = _index_tags(root)
    listed = {change.head_path for change in changes}
    changes += [
        FileChange(base_path=path, head_path=path, kind="changed")
        for path in base.paths()
        if _is_unwatched(tags.get(path, "")) and path in on_disk and path not in listed
    ]
    changes = [c for c in changes if c.kind != "changed" or _differ(c, base, head)]
    known = {*base.paths(), *tags}
    new = [path for path in head.paths() if path not in known]
    return _sort_changes(_pair_moved(changes, new, base, head))


def find_renames(changes: Iterable[FileChange]) -> dict[str | None, str | None]:
    """Return the new path of each renamed file by its old one."""
    return {change.base_path: change.head_path for change in changes if change.kind == "renamed"}


def _index_tags(root: Path) -> dict[str, str]:
    """Return each path of the index with the letter that `git ls-files -v` puts before it."""
    lines = command.split_nul(command.run_git(root, "ls-files", "-z", "-v", "--cached"))
    return {path: tag for tag, _, path in (line.partition(" ") for line in lines)}


def _is_unwatched(tag: str) -> bool:
    """Return whether git was told not to look at the file: by `assume-unchanged` or `skip-worktree`."""
    return tag.islower() or tag == "S"


def _restore_on_disk(change: FileChange, on_disk: set[str]) -> FileChange:
    """Treat a file that was removed from the index but is still on disk as present."""
    if change.kind == "deleted" and change.base_path in on_disk:
        return FileChange(base_path=change.base_path, head_path=change.base_path, kind="changed")
    return change


def _differ(change: FileChange, base: Snapshot, head: Snapshot) -> bool:
    """Compare contents: of a file on disk git does not tell whether more than its mode changed."""
    if change.base_path is None or change.head_path is None:
        return True
    before, after = _content(base, change.base_path), _content(head, change.head_path)
    return before is None or before != after


def _parse(raw: bytes) -> Iterator[FileChange]:
    parts = iter(command.split_nul(raw))
    for about in parts:
        old_mode, new_mode, old, new, status = about.removeprefix(":").split(" ")
        path = next(parts)
        kind = KINDS.get(status[0], "changed")
        if kind in {"renamed", "copied"}:
            yield FileChange(base_path=path, head_path=next(parts), kind=kind)
        elif old != new or (new_mode != old_mode and "120000" in (old_mode, new_mode)):
            before, after = None if kind == "added" else path, None if kind == "deleted" else path
            yield FileChange(base_path=before, head_path=after, kind=kind)


def _pair_moved(changes: list[FileChange], new: list[str], base: Snapshot, head: Snapshot) -> list[FileChange]:
    gone = {_content(base, c.base_path): c for c in changes if c.kind == "deleted" and c.base_path}
    out = {(c.base_path, c.head_path): c for c in changes}
    for path in new:
        content = _content(head, path)
        moved = gone.pop(content, None) if content else None
        if moved is not None:
            del out[(moved.base_path, None)]
            out[(moved.base_path, path)] = FileChange(base_path=moved.base_path, head_path=path, kind="renamed")
        else:
            out[(None, path)] = FileChange(base_path=None, head_path=path, kind="added")
    return list(out.values())


def _content(snapshot: Snapshot, path: str) -> str | None:
    try:
        data = snapshot.read(path)
    except InputError:  # a link or a device: it changed, but it is not read
        return None
    return None if data is None else hashlib.sha256(data).hexdigest()


def _sort_changes(changes: Iterable[FileChange]) -> tuple[FileChange, ...]:
    return tuple(sorted(changes, key=lambda c: (c.head_path or c.base_path or "", c.base_path or "")))
