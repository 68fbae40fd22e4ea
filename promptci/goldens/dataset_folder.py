"""The folders of a Hugging Face data set: which of their files hold rows, and which describe the others."""

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from promptci.errors import InputError
from promptci.files import strict_yaml

_CARD = "README.md"
_DESCRIPTION = re.compile(
    r"(^|/)(README\.md|LICENSE|\.gitattributes|\.gitignore|dataset_infos?\.json|dataset_dict\.json|state\.json)$"
)
_FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)^---\s*$", re.DOTALL | re.MULTILINE)


def select_data_files(paths: Sequence[str], read: Callable[[str], bytes | None] | None) -> list[str]:
    """Return the files with rows.

    A data card (README.md) may name them in its front matter, under `configs`; of several configurations the default
    one counts, else the first. Files in a folder whose card names none are all taken.
    """
    chosen = [path for path in paths if not _DESCRIPTION.search(path)]
    if read is None:
        return chosen
    for card in (path for path in paths if posixpath.basename(path) == _CARD):
        folder = posixpath.dirname(card)
        patterns = [posixpath.normpath(posixpath.join(folder, name)) for name in _list_named(card, read)]
        if patterns:
            inside = f"{folder}/" if folder else ""
            chosen = [
                path
                for path in chosen
                if not path.startswith(inside) or any(fnmatchcase(path, pattern) for pattern in patterns)
            ]
    return chosen


def _list_named(card: str, read: Callable[[str], bytes | None]) -> list[str]:
    """Return the patterns of data files in a card's front matter; none where it names none, or cannot be read."""
    try:
        text = (read(card) or b"").decode("utf-8", errors="replace")
        match = _FRONT_MATTER.match(text)
        value = strict_yaml.load(match[1], card).value if match else None
    except InputError:
        return []
    configs = value.get("configs") if isinstance(value, dict) else None
    items = [item for item in configs if isinstance(item, dict)] if isinstance(configs, list) else []
    default = next((item for item in items if item.get("default") or item.get("config_name") == "default"), None)
    chosen = default or (items[0] if items else {})
    return list(_list_paths(chosen.get("data_files")))


def _list_paths(named: Any) -> Iterator[str]:
    """Yield the patterns of `data_files`: a text, a list, or a list of splits with a `path` each."""
    if isinstance(named, str):
        yield named
    elif isinstance(named, dict):
        yield from _list_paths(named.get("path"))
    elif isinstance(named, list):
        for item in named:
            yield from _list_paths(item)
