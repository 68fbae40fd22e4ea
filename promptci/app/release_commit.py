"""The commit of the promptci that runs, where it is a release."""

import re
from pathlib import Path

from promptci import __version__
from promptci.files import packaged
from promptci.git import command

_COMMIT = re.compile(r"[0-9a-f]{40}\n?")


def find_release_commit(package: Path = packaged.PACKAGE) -> str | None:
    """Return the commit of this release: as its build recorded it (hatch_build.py), or of a clone at the version's tag.

    None where neither is known, as in the image: the release's commit holds the image's digest, so the image cannot
    hold that commit.
    """
    record = package / "_data" / "release-commit"
    if record.is_file():
        text = record.read_text(encoding="utf-8")
        return text.strip() if _COMMIT.fullmatch(text) else None
    root = package.parent
    if not (root / ".git").exists():
        return None
    tag = f"refs/tags/v{__version__}^{{commit}}"
    head, tagged = (command.try_git(root, "rev-parse", "--verify", "--quiet", name) for name in ("HEAD", tag))
    is_release = head.returncode == tagged.returncode == 0 and head.stdout == tagged.stdout
    return head.stdout.decode("ascii").strip() if is_release else None
