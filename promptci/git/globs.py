"""Globs over repository paths: `*` stays within a folder, `**` does not, `{a,b}` is either.

A pattern may come from a pull request, so none can be slow: paths are matched part by part, and a `**` that was passed
is never tried again. A pattern that makes no sense matches nothing, or itself.
"""

import fnmatch
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import islice

from promptci.errors import GitError

MAX_PATTERN_CHARS = 2000
"""Characters of a pattern."""
MAX_CHOICES = 50
"""Braces and `**` in one pattern."""
MAX_ALTERNATIVES = 500
"""Ways in which one pattern may be read."""

_PIECES = re.compile(r"\[!?\]?[^\]]*\]|\*{2,}|.", re.DOTALL)
_LITERAL_END = re.compile(r"[^*?\[\]{}/]*\Z")
_SPECIAL = re.compile(r"[*?\[{]")
_PLAIN = re.compile(r"[^*?\[{]*(?:\*(?P<end>[^*?\[{]*))?")
"""A text with at most one special sign, a `*`."""

PartMatcher = Callable[[str], object] | None
"""Tells whether one part of a path matches; None is `**`, any number of parts."""


def escape(text: str) -> str:
    """Return a glob that matches exactly this text."""
    return re.sub(r"([*?\[\]{},])", r"[\1]", text)


def matches(pattern: str, path: str) -> bool:
    """Whether a path, relative to the repository's root, matches; upper and lower case differ.

    Raises
    ------
    GitError
        For a pattern that is longer than any a person writes.
    """
    parts = path.split("/")
    return any(_match_parts(matchers, parts) for matchers in _compile_pattern(pattern))


def filter_paths(pattern: str, paths: Sequence[str]) -> list[str]:
    """Return the paths that match, out of sorted ones; paths with another prefix are skipped."""
    special = _SPECIAL.search(pattern := pattern.removeprefix("./"))
    start = pattern[: special.start()] if special else pattern
    if len(pattern) <= MAX_PATTERN_CHARS and (plain := _PLAIN.fullmatch(pattern)):
        return _filter_plain(start, plain["end"], paths)
    # Without braces, what follows the last special sign ends every path that matches.
    end = "" if "{" in pattern else _LITERAL_END.search(pattern)[0]  # type: ignore[index]  # matches every text
    return [path for path in _starting_with(start, paths) if path.endswith(end) and matches(pattern, path)]


def _starting_with(start: str, paths: Sequence[str]) -> Sequence[str]:
    """Return the paths with a prefix, out of sorted ones."""
    if not start:
        return paths
    return paths[bisect_left(paths, start) : bisect_right(paths, start, key=lambda path: path[: len(start)])]


def _filter_plain(start: str, end: str | None, paths: Sequence[str]) -> list[str]:
    """Return the paths that match a text with at most one `*`: compiling a pattern for each prompt takes longer."""
    candidates = _starting_with(start, paths)
    if end is None:
        return [path for path in candidates if path == start]
    first, last = len(start), len(end)
    return [
        path
        for path in candidates
        if path.endswith(end) and len(path) >= first + last and "/" not in path[first : len(path) - last]
    ]


@lru_cache(maxsize=1024)
def _compile_pattern(pattern: str) -> tuple[tuple[PartMatcher, ...], ...]:
    fix = "Write several shorter patterns."
    choices = sum(piece == "{" or piece.startswith("**") for piece in _PIECES.findall(pattern))
    if len(pattern) > MAX_PATTERN_CHARS or choices > MAX_CHOICES:
        raise GitError(f"The pattern `{pattern[:60]}…` is longer than any that is read", fix)
    spelled = tuple(islice(_alternatives(pattern.removeprefix("./")), MAX_ALTERNATIVES + 1))
    if len(spelled) > MAX_ALTERNATIVES:
        raise GitError(f"The pattern `{pattern}` can be read in over {MAX_ALTERNATIVES} ways", fix)
    return tuple(tuple(_parts(text)) for text in spelled)


def _alternatives(pattern: str) -> Iterator[str]:
    """Spell out braces, and a `**` that shares its part with other signs."""
    pieces = _PIECES.findall(pattern)
    for at, piece in enumerate(pieces):
        head = "".join(pieces[:at])
        if piece == "{" and (body := _options(pieces, at)):
            end, options = body
            tail = "".join(pieces[end + 1 :])
            yield from (f"{head}{own}{rest}" for own in _each(options) for rest in _alternatives(tail))
            return
        if piece.startswith("**") and not _alone(pieces, at):
            tail = "".join(pieces[at + 1 :])
            yield from (f"{head}{either}{rest}" for rest in _alternatives(tail) for either in ("*", "*/**/*"))
            return
    yield pattern


def _each(options: Sequence[str]) -> Iterator[str]:
    for option in options:
        yield from _alternatives(option)


def _alone(pieces: Sequence[str], at: int) -> bool:
    """Whether a piece is a part of the path all by itself."""
    before, after = pieces[at - 1 : at], pieces[at + 1 : at + 2]
    return (at == 0 or before == ["/"]) and after in ([], ["/"])


def _options(pieces: Sequence[str], start: int) -> tuple[int, list[str]] | None:
    """Return the end of a brace and what stands between its commas; None where it is not one that chooses."""
    depth, options, last = 0, [], start + 1
    for at in range(start, len(pieces)):
        piece = pieces[at]
        depth += (piece == "{") - (piece == "}")
        if depth == 0 or (depth == 1 and piece == ","):
            options.append("".join(pieces[last:at]))
            last = at + 1
        if depth == 0:
            return (at, options) if len(options) > 1 else None
    return None


def _parts(pattern: str) -> Iterator[PartMatcher]:
    texts = pattern.split("/")
    for text in texts:
        if re.fullmatch(r"\*{2,}", text):
            yield None
        else:
            yield _match_part(text)
    if len(texts) > 1 and texts[-1].startswith("**"):
        yield re.compile(".", re.DOTALL).match  # `docs/**` is what lies in docs, not a file of that name


def _match_part(text: str) -> PartMatcher:
    """Return what matches one part of a path, without a regular expression where there is at most one `*`."""
    start, star, end = text.partition("*")
    if not _SPECIAL.search(start + end):
        least = len(start) + len(end)
        if not star:
            return text.__eq__
        return lambda part: len(part) >= least and part.startswith(start) and part.endswith(end)
    # fnmatch's translation is made so that no text takes it longer than its length times the pattern's.
    return re.compile(fnmatch.translate(text)).match


def _match_parts(matchers: Sequence[PartMatcher], parts: Sequence[str]) -> bool:
    """Match parts one by one; at a mismatch, let the last `**` take one more part."""
    if matchers[-1] is not None and not matchers[-1](parts[-1]):
        return False  # most paths leave here
    i = j = 0
    star = mark = -1
    while j < len(parts):
        part = matchers[i] if i < len(matchers) else _nothing
        if part is None:
            star, mark, i = i, j, i + 1
        elif part(parts[j]):
            i, j = i + 1, j + 1
        elif star >= 0:
            mark += 1
            i, j = star + 1, mark
        else:
            return False
    return all(part is None for part in matchers[i:])


def _nothing(_: str) -> bool:
    return False
