"""Cut Markdown to a size in bytes without leaving a fence, a fold or a line open."""

import re

from promptci.lazy_dataclass import dataclass

SPARE = 8
"""Bytes for the line breaks around the notice."""
FOLD_END = "</details>"

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_FOLD = re.compile(r"<(/?)details\b", re.IGNORECASE)
_HTML = re.compile(
    r" {0,3}</?(?:details|summary|table|thead|tbody|tr|td|th|div|p|ul|ol|li|h[1-6]|hr|blockquote)(?:[\s>]|/>|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Open:
    """What is open at the end of a line."""

    fence: str = ""
    folds: int = 0
    raw: bool = False
    """Inside HTML, which ends at the next blank line and knows no fences."""

    @property
    def closers(self) -> list[str]:
        return [self.fence] * bool(self.fence) + [FOLD_END] * self.folds

    def after(self, line: str) -> "_Open":
        mark = None if self.raw else _FENCE.match(line)
        if self.fence:
            closes = mark and mark[1].startswith(self.fence) and not mark[2].strip()
            return _Open(folds=self.folds) if closes else self
        if mark and not (mark[1][0] == "`" and "`" in mark[2]):
            return _Open(fence=mark[1], folds=self.folds)
        folds = self.folds
        for tag in _FOLD.finditer(line):
            folds = max(folds - 1, 0) if tag[1] else folds + 1
        return _Open(folds=folds, raw=bool(line.strip()) and (self.raw or bool(_HTML.match(line))))


def truncate_markdown(text: str, limit: int, notice: str) -> str:
    r"""Return `text` if its UTF-8 form has at most `limit` bytes, else its first whole lines, closed, and `notice`.

    Line breaks become `\n`. A lone surrogate counts as the six characters it is later written as.
    """
    text = text.replace("\r\n", "\n")
    if utf8_size(text) <= limit:
        return text
    room = limit - utf8_size(notice) - SPARE
    lines, kept, open_now = text.split("\n"), 0, _Open()
    while True:  # ends before the lines do: together they have more bytes than there is room
        ahead = open_now.after(lines[kept])
        room -= utf8_size(lines[kept]) + 1
        if room < sum(utf8_size(closer) + 1 for closer in ahead.closers):
            return "\n".join([*lines[:kept], *open_now.closers, "", notice, ""])
        kept, open_now = kept + 1, ahead


def utf8_size(text: str) -> int:
    """Return the number of bytes the text takes in a file."""
    return len(text.encode("utf-8", errors="backslashreplace"))
