"""Find the configuration of a revision: the file that was named, or promptci.yml (or .yaml) by default."""

import posixpath
from collections.abc import Sequence
from typing import TYPE_CHECKING

from promptci.config.load import load_config
from promptci.config.model import Config
from promptci.errors import ConfigError, Problem
from promptci.git.snapshot import Snapshot
from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    import difflib
else:
    difflib = lazy_import("difflib")

DEFAULT_PATH = "promptci.yml"
DEFAULT_PATHS = (DEFAULT_PATH, "promptci.yaml")


def find_config(snapshot: Snapshot, path: str) -> str | None:
    """Return the path of the configuration in a revision, or None where there is none.

    Raises
    ------
    ConfigError
        Where both promptci.yml and promptci.yaml exist.
    """
    candidates = DEFAULT_PATHS if path == DEFAULT_PATH else (path,)
    existing = [candidate for candidate in candidates if snapshot.read(candidate) is not None]
    if len(existing) > 1:
        message = f"{existing[0]} exists too, and only one of them can decide"
        raise ConfigError([Problem(path=existing[1], message=message, hint="Delete one of them.")])
    return existing[0] if existing else None


def load_revision_config(snapshot: Snapshot, path: str) -> Config:
    """Return the configuration of a revision; the defaults where there is no file.

    Raises
    ------
    ConfigError
        With every mistake in the file.
    """
    existing = find_config(snapshot, path)
    return load_config(None if existing is None else snapshot.read(existing), existing or path)


def require_named_config(snapshots: Sequence[Snapshot], path: str) -> None:
    """Raise unless a configuration other than the default exists in one of the revisions.

    With the defaults instead, prompts and key would go to another endpoint than the one that was meant.

    Raises
    ------
    ConfigError
        With the most similar path of the repository.
    """
    if path == DEFAULT_PATH or any(find_config(snapshot, path) is not None for snapshot in snapshots):
        return
    close = _find_similar(path, snapshots[-1].paths())
    hint = f"Did you mean `{close}`?" if close else f"Create it, or leave the option out to use {DEFAULT_PATH}."
    raise ConfigError([Problem(path=path, message="this configuration does not exist", hint=hint)])


def _find_similar(path: str, paths: Sequence[str]) -> str | None:
    """Return the path most similar to `path`, a file of the same name in another folder first."""
    files = [candidate for candidate in paths if candidate.endswith((".yml", ".yaml"))]
    same_name = [candidate for candidate in files if posixpath.basename(candidate) == posixpath.basename(path)]
    close = difflib.get_close_matches(path, same_name or files, n=1, cutoff=0.0 if same_name else 0.6)
    return close[0] if close else None
