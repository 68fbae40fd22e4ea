"""The variables of many cases, in one unnamed temporary file, and the mappings that read them from it."""

import json
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from typing import Any

from promptci.files.system.open_file import read_at

MAX_BYTES_IN_MEMORY = 16 * 2**20
"""Variables, as JSON, up to which those of the first cases stay in memory: each is read a dozen times in a run."""
_dump = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class VariableStore:
    """A temporary file of JSON objects, deleted with the last mapping that reads it."""

    def __init__(self, max_bytes_in_memory: int = MAX_BYTES_IN_MEMORY) -> None:
        """Create the file."""
        self._max_bytes_in_memory = max_bytes_in_memory
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the cases
        weakref.finalize(self, self._file.close)
        self._size = self._bytes_in_memory = 0
        self._is_flushed = True
        self._last: tuple[int, dict[str, Any]] = (-1, {})

    def add(self, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the variables of one case while there is room, else a mapping that reads them from disk."""
        data = _dump(dict(variables)).encode("utf-8", "surrogatepass")
        if self._bytes_in_memory + len(data) <= self._max_bytes_in_memory:
            self._bytes_in_memory += len(data)
            return variables
        self._file.write(data)
        stored = StoredVariables(self, self._size, len(data))
        self._size += len(data)
        self._is_flushed = False
        return stored

    def load(self, offset: int, size: int) -> dict[str, Any]:
        """Return the variables that begin at an offset; those that were read last are still in memory."""
        if self._last[0] == offset:
            return self._last[1]
        if not self._is_flushed:
            self._file.flush()
            self._is_flushed = True
        data = read_at(self._file.fileno(), size, offset)
        variables: dict[str, Any] = json.loads(data.decode("utf-8", "surrogatepass"))
        self._last = (offset, variables)
        return variables


class StoredVariables(Mapping[str, Any]):
    """The variables of one case, read from disk on access: those of 100,000 cases may take 200 MB."""

    __slots__ = ("_offset", "_size", "_store")

    def __init__(self, store: VariableStore, offset: int, size: int) -> None:
        """Use `VariableStore.add`."""
        self._store = store
        self._offset = offset
        self._size = size

    def __getitem__(self, name: str) -> Any:
        """Return the value of a variable."""
        return self._store.load(self._offset, self._size)[name]

    def __iter__(self) -> Iterator[str]:
        """Return the names in the order of the file."""
        return iter(self._store.load(self._offset, self._size))

    def __len__(self) -> int:
        """Return the number of variables."""
        return len(self._store.load(self._offset, self._size))

    def __repr__(self) -> str:
        """Return the variables as those of a dictionary."""
        return repr(dict(self))

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        """Pickle as a dictionary: another process does not have the file."""
        return dict, (dict(self),)
