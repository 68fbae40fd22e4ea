"""Find the prompt files of a revision, and those that no pattern reaches."""

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from promptci.prompts.load import is_prompt_file
from promptci.prompts.patterns import parse_pattern

VENDORED_FOLDERS = frozenset(
    ("node_modules", "vendor", "vendored", "third_party", "site-packages", ".venv", "venv", "bower_components")
)
"""Folders of other people's files."""
PROJECT_FILES = re.compile(r"(README|CHANGELOG|CONTRIBUTING|LICEN[CS]E|SECURITY|CODE_OF_CONDUCT)\b.*|requirements\.txt")
"""Texts about a folder, which a pattern reaches only by their full name."""


class FileTree(Protocol):
    """The files of a revision."""

    def paths(self) -> tuple[str, ...]:
        """Return every file."""
        ...

    def glob(self, pattern: str) -> list[str]:
        """Return the files that match a pattern."""
        ...


def find_selected_files(tree: FileTree, patterns: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the files that match one of the patterns, sorted, each with the selectors of its patterns.

    A file in a vendored folder counts only for a pattern that names this folder.
    """
    selectors_by_path: dict[str, list[str]] = {}
    for pattern in patterns:
        files, selector = parse_pattern(pattern)
        for path in tree.glob(files):
            if not _is_hidden(path, files):
                selectors = selectors_by_path.setdefault(path, [])
                selectors += [selector] if selector else []
    return {path: tuple(dict.fromkeys(selectors_by_path[path])) for path in sorted(selectors_by_path)}


def find_prompt_files(tree: FileTree, patterns: Iterable[str]) -> list[str]:
    """Return the files that match one of the patterns, sorted."""
    return list(find_selected_files(tree, patterns))


def find_unmatched_prompt_files(tree: FileTree, patterns: Sequence[str]) -> list[str]:
    """Return the files that look like prompt files and match none of the patterns, outside of vendored folders."""
    matched = set(find_prompt_files(tree, patterns))
    return [path for path in tree.paths() if is_prompt_file(path) and path not in matched and not is_vendored(path)]


def is_vendored(path: str) -> bool:
    """Return whether a file is in a folder of other people's files."""
    return bool(_vendored_folders(path))


def _is_hidden(path: str, pattern: str) -> bool:
    if _vendored_folders(path) - set(pattern.split("/")):
        return True
    name = path.rpartition("/")[2]
    is_project_file = bool(PROJECT_FILES.fullmatch(name)) and not is_prompt_file(name)
    return is_project_file and name != pattern.rpartition("/")[2]


def _vendored_folders(path: str) -> frozenset[str]:
    return VENDORED_FOLDERS.intersection(path.split("/")[:-1])
