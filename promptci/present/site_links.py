"""Addresses of the site's pages, the same for the site and for whoever links to it."""

import re
from hashlib import sha256

_SAFE = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_UNSAFE = re.compile(r"[^a-z0-9._-]+")


def page_name(name: str) -> str:
    """Return a name as the name of a file: its own where that is safe everywhere, else with a digest of it."""
    if _SAFE.fullmatch(name) and not name.endswith("."):
        return name
    readable = _UNSAFE.sub("-", name.lower()).strip("-._")[:60]
    return f"{readable or 'prompt'}-{sha256(name.encode(errors='replace')).hexdigest()[:8]}"


def prompt_page(name: str, repository: str = "") -> str:
    """Return the path of a prompt's page within the site; with several repositories, in the folder of its own."""
    folder = f"prompt/{page_name(repository)}" if repository else "prompt"
    return f"{folder}/{page_name(name)}.html"


def badge_file(name: str, repository: str = "") -> str:
    """Return the path of a prompt's badge within the site."""
    return "badge" + prompt_page(name, repository).removeprefix("prompt").removesuffix(".html") + ".svg"
