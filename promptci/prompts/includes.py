"""Put the text of other files in place of `{{> path}}`: of the same revision, never from outside the repository."""

import posixpath
import re
from collections.abc import Callable

from promptci.errors import InputError
from promptci.files.lines import decode

INCLUDE = re.compile(r"\{\{>\s*([^{}\n]+?)\s*\}\}")
DEEPEST = 10

Read = Callable[[str], bytes | None]
"""Gives a file of the revision, or None."""


class IncludeError(Exception):
    """An include cannot be followed; the text says why."""


def resolve(text: str, path: str, read: Read, seen: tuple[str, ...] = ()) -> tuple[str, tuple[str, ...]]:
    """Give the text with its includes in place, and their paths in the order of use.

    `path` is the file that the text is from; an include's path is relative to its folder.

    Raises
    ------
    IncludeError
        For a file that is missing, outside the repository, or includes itself.
    """
    used: list[str] = []

    def fill(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), match[1]))
        if match[1].startswith("/") or target.startswith("..") or "\\" in match[1]:
            raise IncludeError(f"`{match[1]}` lies outside the repository")
        if target in (*seen, path):
            raise IncludeError(f"`{match[1]}` includes itself, by way of {' → '.join((*seen, path, target))}")
        if len(seen) >= DEEPEST:
            raise IncludeError(f"`{match[1]}` is more than {DEEPEST} includes deep")
        inner, deeper = resolve(_text(target, match[1], read), target, read, (*seen, path))
        used.extend((target, *deeper))
        return inner.removesuffix("\n")

    return INCLUDE.sub(fill, text), tuple(dict.fromkeys(used))


def _text(target: str, written: str, read: Read) -> str:
    try:
        data = read(target)
        if data is None:
            raise IncludeError(f"there is no file `{target}`, which `{{{{> {written}}}}}` names")
        return decode(data, target)
    except InputError as error:
        raise IncludeError(f"`{target}` cannot be included: {error.problems[0].what}") from error
