"""Modules that are imported when they are first used, so that `promptci --help` does not wait for them.

Write both lines, so that type checkers see the module itself:

    if TYPE_CHECKING:
        import numpy as np
    else:
        np = lazy_import("numpy")
"""

import importlib
from typing import Any


class LazyModule:
    """Stands in for a module; becomes as fast as the module, because it keeps what was asked of it."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __getattr__(self, attribute: str) -> Any:
        """Import the module and return an attribute of it; called once for each attribute."""
        value = getattr(importlib.import_module(self.__name__), attribute)
        setattr(self, attribute, value)
        return value

    def __repr__(self) -> str:
        return f"<lazy import of {self.__name__}>"


def lazy_import(name: str) -> Any:
    """Return a stand-in for a module that is imported at its first use."""
    return LazyModule(name)
