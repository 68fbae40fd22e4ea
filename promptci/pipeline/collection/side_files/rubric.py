"""The rubric of `judge` assertions: the file that promptci.yml names, as the binding revision has it."""

from collections.abc import Collection

from promptci.errors import InputError, Problem
from promptci.files.lines import decode_utf8
from promptci.git.snapshot import Snapshot
from promptci.pipeline.collection.binding_config import BindingConfig


def load_rubric(snapshot: Snapshot, path: str | None) -> str | None:
    """Return the text of the judge's rubric; raise InputError where the file that promptci.yml names is missing."""
    if path is None:
        return None
    data = snapshot.read(path)
    if data is None:
        message = f"`judge.rubric` names this file, which does not exist at {snapshot.label}"
        raise InputError([Problem(path=path, message=message, hint="Commit it, or correct `judge.rubric`.")])
    return decode_utf8(data, path)


def note_edited_rubric(binding: BindingConfig, head: Snapshot, touched: Collection[str]) -> tuple[str, ...]:
    """Return a note on a rubric that the change edits and that does not decide about it.

    Raises
    ------
    InputError
        Where the change removes the rubric that its own configuration names.
    """
    path = binding.config.judge.rubric
    if path not in touched or not binding.base.present:
        return ()
    load_rubric(head, binding.head.judge.rubric)
    return (f"This change edits {path}. The base revision's rubric decides; the new one counts once it is merged.",)
