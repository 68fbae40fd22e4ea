"""Find patterns of `prompts.include` that match no file, and what was probably meant."""

import posixpath
from collections.abc import Iterator, Sequence

from promptci.lazy_dataclass import dataclass
from promptci.prompts.find import FileTree, find_prompt_files, is_vendored
from promptci.prompts.patterns import parse_pattern
from promptci.wording import find_nearest

_WILDCARDS = frozenset("*?[{")


@dataclass(frozen=True, kw_only=True, slots=True)
class IdlePattern:
    """A pattern that matches no file."""

    index: int
    """Its place in the list."""
    pattern: str
    meant: str = ""
    """A similar pattern that matches files; empty where there is none."""
    missed: tuple[str, ...] = ()
    """The files that it matches, and that no other pattern reaches."""


def find_idle_patterns(tree: FileTree, patterns: Sequence[str]) -> Iterator[IdlePattern]:
    """Yield the patterns that match no file."""
    covered = set(find_prompt_files(tree, patterns))
    for index, pattern in enumerate(patterns):
        if find_prompt_files(tree, [pattern]):
            continue
        meant = _find_similar(tree, pattern)
        files = find_prompt_files(tree, [meant]) if meant else []
        missed = tuple(path for path in files if path not in covered)
        yield IdlePattern(index=index, pattern=pattern, meant=meant, missed=missed)


def _find_similar(tree: FileTree, pattern: str) -> str:
    """Return the pattern with another folder or another name of files that is nearest; empty where there is none."""
    files, selector = parse_pattern(pattern)
    parts = files.split("/")
    literal = next((place for place, part in enumerate(parts) if _WILDCARDS & set(part)), len(parts) - 1)
    folder, rest = "/".join(parts[:literal]), "/".join(parts[literal:])
    paths = [path for path in tree.paths() if not is_vendored(path)]
    folders = {parent for path in paths for parent in _list_parents(path)}
    moved = [f"{other}/{rest}" for other in folders - {folder} if find_nearest(folder, [other])]
    siblings = [path for path in paths if posixpath.dirname(path) == posixpath.dirname(files)]
    names = [posixpath.basename(path) for path in siblings]
    if _WILDCARDS & set(rest):
        names = [f"*{name[name.index('.') :]}" for name in names if "." in name.strip(".")]
    renamed = [posixpath.join(posixpath.dirname(files), name) for name in dict.fromkeys(names)]
    matching = [each for each in (*moved, *renamed) if find_prompt_files(tree, [each])]
    nearest = find_nearest(files, matching, cutoff=0.75)
    return nearest and nearest + selector


def _list_parents(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        yield path
