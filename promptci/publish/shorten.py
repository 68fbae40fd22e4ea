"""Cut Markdown to a size in bytes without leaving a fence, a fold or a line open."""

import re

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_FOLD = re.compile(r"<(/?)details\b", re.IGNORECASE)
SPARE = 64
"""Bytes kept free for closing what was open, beside the fence's own length."""


def cut(text: str, limit: int, notice: str) -> str:
    """Give `text` if its UTF-8 form has at most `limit` bytes, else its first whole lines, closed, and `notice`.

    A lone surrogate counts as the six characters it is later written as.
    """
    if size(text) <= limit:
        return text
    room = limit - size(notice) - SPARE
    kept: list[str] = []
    fence, folds = "", 0
    for line in text.splitlines():
        ahead_fence, ahead_folds = _after(line, fence, folds)
        room -= size(line) + 1
        if room < size(ahead_fence) + len("</details>\n") * ahead_folds:
            break
        kept.append(line)
        fence, folds = ahead_fence, ahead_folds
    closers = [fence] * bool(fence) + ["</details>"] * folds
    return "\n".join([*kept, *closers, "", notice, ""])


def size(text: str) -> int:
    """Give the number of bytes the text takes in a file."""
    return len(text.encode("utf-8", errors="backslashreplace"))


def _after(line: str, fence: str, folds: int) -> tuple[str, int]:
    """Give the open fence and the number of open folds after this line."""
    mark = _FENCE.match(line)
    if fence:
        closes = mark and mark[1].startswith(fence) and not mark[2].strip()
        return ("" if closes else fence), folds
    if mark and not (mark[1][0] == "`" and "`" in mark[2]):
        return mark[1], folds
    for tag in _FOLD.finditer(line):
        folds += -1 if tag[1] else 1
    return "", max(folds, 0)
