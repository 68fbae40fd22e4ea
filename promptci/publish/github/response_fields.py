"""Fields of GitHub's JSON responses: one that is missing or of another type is not taken for an answer."""

from typing import Any

from promptci.publish.github.api import Unavailable


def get_number(item: Any, name: str) -> int:
    """Return a whole number; Unavailable where there is none."""
    value = get_field(item, name)
    if not isinstance(value, int):
        raise Unavailable(f"GitHub's answer has no number as {name!r}")
    return value


def check_list(value: Any) -> list[dict[str, Any]]:
    """Return the value, a list of objects; Unavailable where it is something else."""
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Unavailable("GitHub gave no list")
    return value


def get_field(item: Any, name: str) -> Any:
    """Return a field of an object; Unavailable where it is missing."""
    if not isinstance(item, dict) or name not in item:
        raise Unavailable(f"GitHub's answer has no {name!r}")
    return item[name]


def get_author(item: Any) -> str:
    """Return the login of who wrote something; "" where the account is gone."""
    user = item.get("user") if isinstance(item, dict) else None
    return str(user.get("login") or "") if isinstance(user, dict) else ""


def is_by_bot(item: Any) -> bool:
    """Return whether an app wrote it."""
    user = item.get("user") if isinstance(item, dict) else None
    return isinstance(user, dict) and user.get("type") == "Bot"
