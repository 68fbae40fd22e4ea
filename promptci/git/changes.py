"""What changed between two revisions, file by file, as `git diff --raw -z` tells it."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from promptci.errors import InputError
from promptci.git import command
from promptci.git.snapshot import Snapshot

KINDS = {"A": "added", "D": "deleted", "M": "changed", "T": "changed", "R": "renamed", "C": "copied"}


@dataclass(frozen=True, kw_only=True, slots=True)
class FileChange:
    """One file that differs."""

    before: str | None
    """Path at base; None for an added file."""
    after: str | None
    """Path at head; None for a deleted one."""
    kind: str
    """`added`, `changed`, `deleted`, `renamed` (edited or not) or `copied`."""


def between(root: Path, base: Snapshot, head: Snapshot) -> tuple[FileChange, ...]:
    """Give the changes, in the order of their paths. A change of mode alone is none.

    A new file that git does not track yet shows as added; where a deleted file had the same content, as renamed.
    """
    words = ["diff", "--raw", "-z", "--no-abbrev", "--no-ext-diff", "--no-textconv", "--find-renames", "--find-copies"]
    words += ["--ignore-submodules", "-l0"]
    if head.sha is not None:
        return _ordered(_parse(command.run(root, *words, str(base.sha), head.sha)))
    found = list(_parse(command.run(root, *words, str(base.sha))))
    known = {change.after for change in found}
    tracked = set(command.split(command.run(root, "ls-files", "-z", "--cached")))
    before = set(base.paths())
    new = [path for path in head.paths() if path not in tracked and path not in known and path not in before]
    return _ordered(_pair_moved(found, new, base, head))


def _parse(raw: bytes) -> Iterator[FileChange]:
    parts = iter(command.split(raw))
    for about in parts:
        old_mode, new_mode, old, new, status = about.removeprefix(":").split(" ")
        path = next(parts)
        kind = KINDS.get(status[0], "changed")
        if kind in {"renamed", "copied"}:
            yield FileChange(before=path, after=next(parts), kind=kind)
        elif old != new or (new_mode != old_mode and "120000" in (old_mode, new_mode)):
            before, after = None if kind == "added" else path, None if kind == "deleted" else path
            yield FileChange(before=before, after=after, kind=kind)


def _pair_moved(found: list[FileChange], new: list[str], base: Snapshot, head: Snapshot) -> list[FileChange]:
    gone = {_content(base, c.before): c for c in found if c.kind == "deleted" and c.before}
    out = {(c.before, c.after): c for c in found}
    for path in new:
        content = _content(head, path)
        moved = gone.pop(content, None) if content else None
        if moved is not None:
            del out[(moved.before, None)]
            out[(moved.before, path)] = FileChange(before=moved.before, after=path, kind="renamed")
        else:
            out[(None, path)] = FileChange(before=None, after=path, kind="added")
    return list(out.values())


def _content(snapshot: Snapshot, path: str) -> str | None:
    try:
        data = snapshot.read(path)
    except InputError:  # a link or a device: it changed, but it is not read
        return None
    return None if data is None else hashlib.sha256(data).hexdigest()


def _ordered(changes: Iterable[FileChange]) -> tuple[FileChange, ...]:
    return tuple(sorted(changes, key=lambda c: (c.after or c.before or "", c.before or "")))
