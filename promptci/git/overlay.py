"""A snapshot with some files replaced: what a revision would be after a change that is not made yet."""

import io
from collections.abc import Iterable, Mapping
from typing import IO, ClassVar

from promptci.git import globs
from promptci.git.safe_open import SizeLimit
from promptci.git.snapshot import Snapshot


class OverlaySnapshot:
    """The files of a snapshot, some of them changed; None: deleted."""

    sha: ClassVar[str | None] = None

    def __init__(self, base: Snapshot, files: Mapping[str, bytes | None]) -> None:
        self._base, self._files = base, files
        self.label = f"{base.label} with changes"

    def paths(self) -> tuple[str, ...]:
        """Return every file."""
        kept = {path for path in self._base.paths() if self._files.get(path, b"") is not None}
        return tuple(sorted(kept | {path for path, data in self._files.items() if data is not None}))

    def glob(self, pattern: str) -> list[str]:
        """Return the files that match."""
        return globs.filter_paths(pattern, self.paths())

    def read(self, path: str) -> bytes | None:
        """Return a file's content, or None where there is none."""
        return self._files[path] if path in self._files else self._base.read(path)

    def open(self, path: str, limit: SizeLimit) -> IO[bytes] | None:
        """Open a copy of a file's content."""
        if path not in self._files:
            return self._base.open(path, limit)
        data = self._files[path]
        return None if data is None else io.BytesIO(data)

    def read_ahead(self, paths: Iterable[str]) -> None:
        """Read the files of the snapshot below together."""
        self._base.read_ahead(path for path in paths if path not in self._files)

    def close(self) -> None:
        """Close the snapshot below."""
        self._base.close()
