"""What changed between two revisions, file by file, as `git diff --raw -z` tells it."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from promptci.errors import InputError
from promptci.git import command
from promptci.git.snapshot import Snapshot

MOST_RENAMES = 1000
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

    Renames with edits are found among up to a thousand files (git's own bound, past which its search would take
    minutes), those without edits among any number. In the working tree, a new file that git does not track yet shows
    as added; where a deleted file had the same content, as renamed.
    """
    words = ["diff", "--raw", "-z", "--no-abbrev", "--no-ext-diff", "--no-textconv", "--find-renames", "--find-copies"]
    words += ["--ignore-submodules", f"-l{MOST_RENAMES}"]
    if head.sha is not None:
        return _ordered(_parse(command.run(root, *words, str(base.sha), head.sha, "--")))
    on_disk = set(head.paths())
    found = [_seen(change, on_disk) for change in _parse(command.run(root, *words, str(base.sha), "--"))]
    found = [c for c in found if c.kind != "changed" or _differ(c, base, head)]
    known = {*base.paths(), *command.split(command.run(root, "ls-files", "-z", "--cached"))}
    new = [path for path in head.paths() if path not in known]
    return _ordered(_pair_moved(found, new, base, head))


def _seen(change: FileChange, on_disk: set[str]) -> FileChange:
    """See a file that was taken out of the index but left on disk: for a reader it is there."""
    if change.kind == "deleted" and change.before in on_disk:
        return FileChange(before=change.before, after=change.before, kind="changed")
    return change


def _differ(change: FileChange, base: Snapshot, head: Snapshot) -> bool:
    """Compare contents: of a file on disk git does not tell whether more than its mode changed."""
    if change.before is None or change.after is None:
        return True
    before, after = _content(base, change.before), _content(head, change.after)
    return before is None or before != after


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
