"""Mark prompts with the revision of the application that answers them, for `kind: command`."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import replace

from promptci.errors import InputError
from promptci.files import canonical
from promptci.git import globs
from promptci.git.snapshot import Snapshot
from promptci.prompts.model import Prompt
from promptci.providers.options import ProviderOptions


def mark_application(prompts: Mapping[str, Prompt], application: str | None) -> dict[str, Prompt]:
    """Return the prompts with the id of the application; as they are where there is none."""
    if application is None:
        return dict(prompts)
    return {address: replace(prompt, application=application) for address, prompt in prompts.items()}


def identify_application(snapshot: Snapshot, options: ProviderOptions) -> str | None:
    """Return an id of the application's files at a revision; None for providers that run none."""
    if options.kind != "command":
        return None
    if snapshot.sha is not None:
        return snapshot.sha
    digests = {path: _digest(snapshot, path) for path in snapshot.paths() if is_source(path, options)}
    return canonical.digest(digests)


def is_source(path: str, options: ProviderOptions) -> bool:
    """Return whether a file is part of the application."""
    return any(globs.matches(pattern, path) for pattern in options.sources)


def identify_both(
    base: Snapshot, head: Snapshot, options: ProviderOptions, touched: Collection[str]
) -> tuple[str | None, str | None]:
    """Return the ids at base and at head, equal where the change touches no file of the application."""
    before = identify_application(base, options)
    if before is None or not any(is_source(path, options) for path in touched):
        return before, before
    return before, identify_application(head, options)


def _digest(snapshot: Snapshot, path: str) -> str:
    try:
        return hashlib.sha256(snapshot.read(path) or b"").hexdigest()
    except InputError:
        return "not a plain file"
