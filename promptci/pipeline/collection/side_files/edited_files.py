"""Files next to goldens that count as the base revision has them, such as labels and quarantines."""

from collections.abc import Callable, Iterable, Sequence

from promptci.errors import InputError, Problem
from promptci.git.snapshot import Snapshot


def validate_changed(
    base: Snapshot | None, head: Snapshot, paths: Iterable[str], read: Callable[[bytes, str], object]
) -> Sequence[str]:
    """Check those files that this change edits, so that a mistake is found before it is merged.

    Gives a note for each. Without a base, all are checked and none is noted.

    Raises
    ------
    InputError
        With every mistake in them.
    """
    problems: list[Problem] = []
    edited = []
    for path in paths:
        if base is not None and _content(head, path) == _content(base, path):
            continue
        edited.append(path)
        try:
            data = head.read(path)
            if data is not None:
                read(data, path)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return [f"This change edits {path}. It counts from when it is merged." for path in edited] if base else []


def _content(snapshot: Snapshot, path: str) -> object:
    """Return what identifies the state of a file."""
    try:
        return snapshot.read(path)
    except InputError as error:
        return str(error)
