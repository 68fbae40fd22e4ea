"""Cache of compiled templates, kept where Python keeps compiled modules: compiling them takes a fifth of a second."""

import contextlib
import hashlib
import importlib.util
import sys
from functools import cached_property
from pathlib import Path

from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket

_FOLDED_INTO_CODE = ("templates.py", "escape.py", "formatting.py")
"""Modules whose filters Jinja already applies to constants when it compiles a template."""


class CompiledTemplates(FileSystemBytecodeCache):
    """Compiled templates in this package's `__pycache__`: whoever can write there can change the modules as well.

    Only for promptci's own templates. A folder that cannot be written is no error; the template is compiled each time.
    """

    def __init__(self) -> None:
        folder = Path(importlib.util.cache_from_source(__file__)).parent
        super().__init__(str(folder), "template-%s.cache")

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """Return a key that changes with the template's path and with the code that is folded into it."""
        return hashlib.sha256(f"{name}|{filename}|{self._code_digest}".encode()).hexdigest()[:32]

    def load_bytecode(self, bucket: Bucket) -> None:
        """Read a compiled template if there is one that can be read."""
        with contextlib.suppress(OSError):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Write a compiled template, where Python would write a compiled module."""
        if sys.dont_write_bytecode:
            return
        with contextlib.suppress(OSError):
            Path(self.directory).mkdir(parents=True, exist_ok=True)
            super().dump_bytecode(bucket)

    @cached_property
    def _code_digest(self) -> str:
        digest = hashlib.sha256()
        for name in _FOLDED_INTO_CODE:
            digest.update(Path(__file__).with_name(name).read_bytes())
        return digest.hexdigest()
