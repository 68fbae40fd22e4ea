"""The list of cases within a file that has more than it: a map such as `{"name": …, "data": […]}`."""

from collections.abc import Mapping
from typing import Any

LIST_KEYS = ("cases", "tests", "data", "examples", "items")
"""Keys under which tools keep their cases."""
COMMENTS = {"$schema", "author", "description", "metadata", "name", "title"}
"""Keys beside them that say nothing about a case."""


def find_list_key(value: Any) -> str | None:
    """Return the key of the list of cases in a map; None where the map has none, or says more than that."""
    if not isinstance(value, Mapping):
        return None
    keys = [key for key in value if key not in COMMENTS]
    return keys[0] if len(keys) == 1 and keys[0] in LIST_KEYS and isinstance(value[keys[0]], list | None) else None
