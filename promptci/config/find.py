"""Find the configuration of a revision: the file that was named, or promptci.yml (or .yaml) by default."""

import posixpath
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from promptci.config.load import load_config
from promptci.config.model import Config
from promptci.errors import ConfigError, InputError, Problem
from promptci.git.snapshot import Snapshot
from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    import difflib
else:
    difflib = lazy_import("difflib")

DEFAULT_PATH = "promptci.yml"
DEFAULT_PATHS = (DEFAULT_PATH, "promptci.yaml")
_LOOKALIKE = re.compile(
    r"(?:\.(?:github|config)/)?(?P<file>\.?promptci\.(?:ya?ml|json|toml)(?:\.txt)?)(?:/|\Z)", re.IGNORECASE
)
"""A path that somebody took for the configuration's."""


def find_config(snapshot: Snapshot, path: str) -> str | None:
    """Return the path of the configuration in a revision, or None where there is none.

    Raises
    ------
    ConfigError
        Where both promptci.yml and promptci.yaml exist, or it is no plain file of the repository.
    """
    candidates = DEFAULT_PATHS if path == DEFAULT_PATH else (path,)
    try:
        existing = [candidate for candidate in candidates if snapshot.read(candidate) is not None]
    except InputError as error:
        raise ConfigError(error.problems) from error
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
    """Raise unless a configuration exists in one of the revisions, or none was meant to.

    With the defaults instead, prompts and key would go to another endpoint than the one that was meant. The default
    path may be missing, unless a file such as `.github/promptci.yml` shows that there should be a configuration.

    Raises
    ------
    ConfigError
        With the most similar path of the repository.
    """
    if any(find_config(snapshot, path) is not None for snapshot in snapshots):
        return
    if path == DEFAULT_PATH:
        _refuse_lookalike(snapshots[-1])
        return
    close = _find_similar(path, snapshots[-1].paths())
    hint = f"Did you mean `{close}`?" if close else f"Create it, or leave the option out to use {DEFAULT_PATH}."
    raise ConfigError([Problem(path=path, message="this configuration does not exist", hint=hint)])


def _refuse_lookalike(snapshot: Snapshot) -> None:
    """Raise where a file was meant to be the configuration and is not read."""
    matches = (_LOOKALIKE.match(path) for path in snapshot.paths())
    lookalike = next((match for match in matches if match is not None), None)
    if lookalike is None:
        return
    path = lookalike.string[: lookalike.end("file")]
    if path in DEFAULT_PATHS:
        message, hint = "this is not a regular file, so it is not read", "Put the configuration itself there."
    else:
        message = f"this file is not read: the configuration is {DEFAULT_PATH} in the repository's root"
        hint = "Rename it, or name it with the option --config (in the Action: the input `config`)."
    raise ConfigError([Problem(path=path, message=message, hint=hint)])


def _find_similar(path: str, paths: Sequence[str]) -> str | None:
    """Return the path most similar to `path`, a file of the same name in another folder first."""
    files = [candidate for candidate in paths if candidate.endswith((".yml", ".yaml"))]
    same_name = [candidate for candidate in files if posixpath.basename(candidate) == posixpath.basename(path)]
    close = difflib.get_close_matches(path, same_name or files, n=1, cutoff=0.0 if same_name else 0.6)
    return close[0] if close else None
