"""Put the text of other files in place of `{{> path}}`: of the same revision, never from outside the repository."""

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from promptci.errors import InputError
from promptci.files.lines import decode_utf8

INCLUDE = re.compile(r"\{\{>[ \t]*([^{}\s][^{}\n]*)\}\}")
MAX_DEPTH = 10
MAX_INCLUDES = 1000
"""Includes followed for one message: ten files that each name the next ten times would else be milliards."""
MAX_CHARS = 2**20
"""Characters that all includes of one message may come to."""

ReadFile = Callable[[str], bytes | None]
"""Gives a file of the revision, or None."""


class IncludeError(Exception):
    """An include cannot be followed; the text says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolvedText:
    """A text with its includes in place."""

    text: str
    paths: tuple[str, ...]
    """Files whose text is in it, in the order of use."""
    errors: tuple[tuple[int, str], ...]
    """What cannot be followed: the row of the text, from 0, and why."""


def resolve_includes(text: str, path: str, read: ReadFile) -> ResolvedText:
    """Put includes in place; one that cannot be followed stays as it is and is told of.

    `path` is the file that the text is from; an include's path is relative to the folder of the file it stands in.
    """
    walk = _IncludeResolver(read)
    faults: list[tuple[int, str]] = []

    def fill(match: re.Match[str]) -> str:
        try:
            return walk.text_of(match[1].rstrip(), (path,))
        except IncludeError as error:
            faults.append((text.count("\n", 0, match.start()), str(error)))
            return match[0]

    filled = INCLUDE.sub(fill, text)
    return ResolvedText(text=filled, paths=tuple(walk.used), errors=tuple(faults))


@dataclass(slots=True)
class _IncludeResolver:
    """Follows the includes of one text, and counts."""

    read: ReadFile
    used: dict[str, str] = field(default_factory=dict)
    """Texts by path, so that each file is read once."""
    followed: int = 0
    length: int = 0

    def text_of(self, written: str, chain: tuple[str, ...]) -> str:
        """Give the text of one include; `chain` are the files that led here, the one it stands in last."""
        target = _target(written, chain[-1])
        if target in chain:
            raise IncludeError(f"`{written}` includes itself, by way of {' → '.join((*chain, target))}")
        if len(chain) > MAX_DEPTH:
            raise IncludeError(f"`{written}` is more than {MAX_DEPTH} includes deep")
        self.followed += 1
        if target not in self.used:
            self.used[target] = _text(target, written, self.read)
        text = self.used[target].removesuffix("\n")
        self.length += len(text)
        if self.followed > MAX_INCLUDES or self.length > MAX_CHARS:
            raise IncludeError(
                f"`{written}` makes the message too long, with over {MAX_INCLUDES} includes or {MAX_CHARS} signs"
            )
        return INCLUDE.sub(lambda match: self.text_of(match[1].rstrip(), (*chain, target)), text)


def _target(written: str, path: str) -> str:
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), written))
    if written.startswith("/") or target.split("/")[0] == ".." or "\\" in written:
        raise IncludeError(f"`{written}` lies outside the repository")
    return target


def _text(target: str, written: str, read: ReadFile) -> str:
    try:
        data = read(target)
        if data is None:
            raise IncludeError(f"there is no file `{target}`, which `{{{{> {written}}}}}` names")
        return decode_utf8(data, target)
    except InputError as error:
        raise IncludeError(f"`{target}` cannot be included: {error.problems[0].message}") from error
