"""The unified diff of the prompt file, or a note that explains why there is none."""

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Literal

from promptci.prompts.model import Prompt
from promptci.report.model import json_safe
from promptci.report.model.report import DiffLineView

MAX_DIFF_LINES = 5000
"""Longer files are not diffed: difflib needs quadratic time."""

_HUNK_START = re.compile(r"@@ -(\d+)(\S*) \+(\d+)")

DiffLineKind = Literal["added", "removed", "context", "hunk"]
_KINDS: dict[str, DiffLineKind] = {"+": "added", "-": "removed", " ": "context", "@": "hunk"}


def diff_sources(base: Prompt | None, head: Prompt | None) -> tuple[list[DiffLineView], str | None]:
    """Return the lines of the diff, and a note on what lines do not show."""
    before, after = _lines(base), _lines(head)
    if base is None or head is None:
        return _unified(before, after, *_offsets(base, head)), None
    if base.source == head.source:
        return [], _unchanged(base, head)
    if before == after:
        return [], "Only the line endings changed." if "\r" in base.source + head.source else _LAST_BREAK
    notes = [f"Moved from {base.path}."] if base.path != head.path else []
    if ("\r" in base.source) != ("\r" in head.source):
        notes.append("The line endings changed too.")
    if max(len(before), len(after)) > MAX_DIFF_LINES:
        sizes = f"{len(before):,} lines before, {len(after):,} after"
        return [], " ".join([*notes, f"Too long for a diff here ({sizes}); see `git diff`."])
    return _unified(before, after, *_offsets(base, head)), json_safe.optional_text(" ".join(notes)) or None


_LAST_BREAK = "Only the line break at the end of the file changed."


def _unchanged(base: Prompt, head: Prompt) -> str:
    if base.fingerprint != head.fingerprint:
        return "The prompt file is the same; a file that it includes changed."
    if base.path != head.path:
        return json_safe.text(f"Moved from {base.path}; the text is the same.")
    return "The prompt file is the same in both versions."


def _lines(prompt: Prompt | None) -> list[str]:
    """Return the lines without their endings; a line break at the end starts no further line."""
    if prompt is None or not prompt.source:
        return []
    flat = prompt.source.replace("\r\n", "\n").replace("\r", "\n")
    return flat.removesuffix("\n").split("\n")


def _offsets(*prompts: Prompt | None) -> list[int]:
    """Return the lines of the file before each prompt that is a part of it."""
    return [prompt.line - 1 if prompt is not None and prompt.selector else 0 for prompt in prompts]


def _unified(before: Sequence[str], after: Sequence[str], base_offset: int, head_offset: int) -> list[DiffLineView]:
    def shift(match: re.Match[str]) -> str:
        return f"@@ -{int(match[1]) + base_offset}{match[2]} +{int(match[3]) + head_offset}"

    return [
        DiffLineView(kind="hunk", text=_HUNK_START.sub(shift, row.text)) if row.kind == "hunk" else row
        for row in _rows(before, after)
    ]


def _rows(before: Sequence[str], after: Sequence[str]) -> Iterator[DiffLineView]:
    lines = difflib.unified_diff(before[:MAX_DIFF_LINES], after[:MAX_DIFF_LINES], lineterm="", n=3)
    for number, line in enumerate(lines):
        if number < 2:  # the file names
            continue
        kind = _KINDS[line[0]]
        yield DiffLineView(kind=kind, text=json_safe.text(line if kind == "hunk" else line[1:]))
