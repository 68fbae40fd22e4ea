"""SHA-256 as each engine computes it; only some of them have Ibis' own expression."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from promptci.lazy_import import lazy_import

ibis = lazy_import("ibis")


def hash_hex(engine: str) -> Callable[[Any], Any]:
    """Return the function from a text to the hexadecimal digits of its hash, in any case."""
    if engine == "bigquery":
        return lambda text: _call("TO_HEX", str, _call("SHA256", bytes, text.cast("binary")))
    if engine == "snowflake":
        return lambda text: _call("SHA2", str, text)
    if engine == "clickhouse":
        return lambda text: _call("hex", str, _call("SHA256", bytes, text))
    if engine == "trino":
        return lambda text: _call("TO_HEX", str, _call("SHA256", bytes, _call("TO_UTF8", bytes, text)))
    return lambda text: text.hexdigest("sha256")


def _call(name: str, result: type, argument: Any) -> Any:
    """Return the call of a function that the engine has."""

    def function(value: Any) -> Any:
        """Stand for the engine's function."""

    kind = argument.type()
    builtin = ibis.udf.scalar.builtin(function, name=name, signature=((kind,), "string" if result is str else "binary"))
    return builtin(argument)
