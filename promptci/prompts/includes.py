"""Replace `{{> path}}` by the text of other files, of the same revision and never from outside the repository.

Jinja's `{% include "path" %}` is replaced alike.
"""

import posixpath
import re
from collections.abc import Callable
from dataclasses import field

from promptci.errors import InputError
from promptci.files.lines import decode_utf8
from promptci.lazy_dataclass import dataclass

INCLUDE = re.compile(r"\{\{>[ \t]*([^{}\s][^{}\n]*)\}\}")
JINJA_INCLUDE = re.compile(
    r"\{#.*?#\}|\{%-?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*-?%\}"
    r"|(?:\s*\{%-|\{%\+?)\s*include\s+(?P<quote>[\"'])(?P<path>[^\"'\n]*)(?P=quote)"
    r"(?P<optional>\s+ignore\s+missing)?(?:\s+with(?:out)?\s+context)?\s*(?:-%\}\s*|\+?%\})",
    re.DOTALL,
)
"""An include; or a comment or raw text, in which nothing is one."""
MAX_DEPTH = 10
MAX_INCLUDES = 1000
"""Includes followed for one message: ten files that each include the next ten times would be 10 billion."""
MAX_CHARS = 2**20
"""Characters of all includes of one message."""

ReadFile = Callable[[str], bytes | None]
"""Returns a file of the revision, or None."""


class IncludeError(Exception):
    """An include cannot be resolved; the text says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolvedText:
    """A text with its includes in place."""

    text: str
    paths: tuple[str, ...]
    """Included files, in the order of use."""
    errors: tuple[tuple[int, str], ...]
    """Row of the text (from 0) and reason of each include that cannot be resolved."""


def resolve_includes(text: str, path: str, read: ReadFile) -> ResolvedText:
    """Put includes in place; one that cannot be resolved stays in the text and is among the errors.

    `path` is the file that holds the text; an include's path is relative to the folder of the including file.
    """
    resolver = _IncludeResolver(read)
    errors: list[tuple[int, str]] = []

    def replace(match: re.Match[str]) -> str:
        try:
            return resolver.resolve(match[1].rstrip(), (path,))
        except IncludeError as error:
            errors.append((text.count("\n", 0, match.start()), str(error)))
            return match[0]

    resolved = INCLUDE.sub(replace, text)
    return ResolvedText(text=resolved, paths=tuple(resolver.texts), errors=tuple(errors))


def resolve_jinja_includes(text: str, path: str, read: ReadFile) -> ResolvedText:
    """Put Jinja's includes in place, as `resolve_includes` does.

    Where a program loads its templates from is not known: a path is looked up in the folder of the including file,
    and then in each folder above it.
    """
    resolver = _IncludeResolver(read)
    errors: list[tuple[int, str]] = []

    def replace(match: re.Match[str], chain: tuple[str, ...] = (path,)) -> str:
        written = match["path"]
        if written is None:
            return match[0]
        target = _find_template(written, chain[-1], read)
        if target is None and match["optional"]:
            return ""
        try:
            included = resolver.load(target or written, written, chain)
        except IncludeError as error:
            errors.append((text.count("\n", 0, match.start()) if len(chain) == 1 else 0, str(error)))
            return ""
        return JINJA_INCLUDE.sub(lambda inner: replace(inner, (*chain, target or written)), included)

    resolved = JINJA_INCLUDE.sub(replace, text)
    return ResolvedText(text=resolved, paths=tuple(resolver.texts), errors=tuple(errors))


def _find_template(written: str, path: str, read: ReadFile) -> str | None:
    """Return the file that a Jinja include names, or None."""
    folder = posixpath.dirname(path)
    while True:
        target = posixpath.normpath(posixpath.join(folder, written))
        try:
            if not written.startswith("/") and target.split("/")[0] != ".." and read(target) is not None:
                return target
        except InputError:
            return target
        if not folder:
            return None
        folder = posixpath.dirname(folder)


def find_included_paths(text: str, path: str, read: ReadFile) -> set[str]:
    """Return every file that a text of the file `path` includes, directly or not, as far as they can be read.

    For a file that cannot be parsed: it may be broken because of one of these.
    """
    included: set[str] = set()
    pending = [(text, path)]
    while pending and len(included) < MAX_INCLUDES:
        including_text, including_path = pending.pop()
        jinja = (match["path"] for match in JINJA_INCLUDE.finditer(including_text))
        for written in filter(None, (*INCLUDE.findall(including_text), *jinja)):
            sibling = posixpath.normpath(posixpath.join(posixpath.dirname(including_path), written.rstrip()))
            for target in {sibling, _find_template(written.rstrip(), including_path, read) or sibling} - included:
                included.add(target)
                try:
                    data = read(target)
                except InputError:
                    continue
                if data is not None:
                    pending.append((data.decode(errors="replace"), target))
    return included


@dataclass(slots=True)
class _IncludeResolver:
    """Resolves the includes of one text within the limits."""

    read: ReadFile
    texts: dict[str, str] = field(default_factory=dict)
    """Texts by path, so that each file is read once."""
    include_count: int = 0
    char_count: int = 0

    def resolve(self, written: str, chain: tuple[str, ...]) -> str:
        """Return the text of one include; `chain` are the including files, the nearest last."""
        target = _resolve_path(written, chain[-1])
        text = self.load(target, written, chain)
        return INCLUDE.sub(lambda match: self.resolve(match[1].rstrip(), (*chain, target)), text)

    def load(self, target: str, written: str, chain: tuple[str, ...]) -> str:
        """Return the text of an included file without the break at its end, within the limits."""
        if target in chain:
            raise IncludeError(f"`{written}` includes itself: {' → '.join((*chain, target))}")
        if len(chain) > MAX_DEPTH:
            raise IncludeError(f"`{written}` is more than {MAX_DEPTH} includes deep")
        self.include_count += 1
        if target not in self.texts:
            self.texts[target] = _read_text(target, written, self.read)
        text = self.texts[target].removesuffix("\n")
        self.char_count += len(text)
        if self.include_count > MAX_INCLUDES or self.char_count > MAX_CHARS:
            limit = f"{MAX_INCLUDES} includes or {MAX_CHARS} characters"
            raise IncludeError(f"`{written}` makes the message exceed the limit of {limit}")
        return text


def _resolve_path(written: str, path: str) -> str:
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), written))
    if written.startswith("/") or target.split("/")[0] == ".." or "\\" in written:
        raise IncludeError(f"`{written}` is outside the repository")
    return target


def _read_text(target: str, written: str, read: ReadFile) -> str:
    try:
        data = read(target)
        if data is None:
            raise IncludeError(f"there is no file `{target}`, which the include `{written}` names")
        return decode_utf8(data, target)
    except InputError as error:
        raise IncludeError(f"`{target}` cannot be included: {error.problems[0].message}") from error
