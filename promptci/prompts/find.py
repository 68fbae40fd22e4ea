"""Find the prompt files of a revision, and those that no pattern reaches."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from promptci.prompts.load import is_prompt_file

VENDORED_FOLDERS = frozenset(
    ("node_modules", "vendor", "vendored", "third_party", "site-packages", ".venv", "venv", "bower_components")
)
"""Folders of other people's files."""


class FileTree(Protocol):
    """The files of a revision."""

    def paths(self) -> tuple[str, ...]:
        """Return every file."""
        ...

    def glob(self, pattern: str) -> list[str]:
        """Return the files that match a pattern."""
        ...


def find_prompt_files(tree: FileTree, patterns: Iterable[str]) -> list[str]:
    """Return the files that match one of the patterns, sorted.

    A file in a vendored folder counts only for a pattern that names this folder.
    """
    return sorted({path for pattern in patterns for path in tree.glob(pattern) if not _is_hidden(path, pattern)})


def find_unmatched_prompt_files(tree: FileTree, patterns: Sequence[str]) -> list[str]:
    """Return the files that look like prompt files and match none of the patterns, outside of vendored folders."""
    matched = set(find_prompt_files(tree, patterns))
    return [path for path in tree.paths() if is_prompt_file(path) and path not in matched and not is_vendored(path)]


def is_vendored(path: str) -> bool:
    """Return whether a file is in a folder of other people's files."""
    return bool(_vendored_folders(path))


def _is_hidden(path: str, pattern: str) -> bool:
    return bool(_vendored_folders(path) - set(pattern.split("/")))


def _vendored_folders(path: str) -> frozenset[str]:
    return VENDORED_FOLDERS.intersection(path.split("/")[:-1])
