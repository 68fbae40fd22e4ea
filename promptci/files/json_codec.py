"""Convert dataclasses to JSON and back with pydantic, which is loaded on first use."""

from collections.abc import Mapping
from functools import cached_property
from json import dumps
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    import pydantic
else:
    pydantic = lazy_import("pydantic")

Record = TypeVar("Record")

STRICT_CONFIG: dict[str, Any] = {"extra": "forbid", "allow_inf_nan": False}
"""Value of `__pydantic_config__` of a record: unknown keys, NaN and infinity are errors."""


class JsonCodec(Generic[Record]):
    """Reads and writes one kind of record; fields at their default are left out, and money is written as text."""

    def __init__(self, record_type: type[Record]) -> None:
        """Keep the type; the adapter is built when the first record is read or written."""
        self._record_type = record_type

    def to_json(self, record: Record) -> dict[str, Any]:
        """Return the record as JSON values, keys in a fixed order."""
        values = self._adapter.dump_python(record, mode="json", by_alias=True, exclude_defaults=True)
        return dict(values)

    def dump(self, record: Record) -> str:
        """Return the record as one line of JSON."""
        try:
            return self._adapter.dump_json(record, by_alias=True, exclude_defaults=True).decode()
        except ValueError:  # a file name that is not UTF-8 reaches us with lone surrogates
            return dumps(self.to_json(record), separators=(",", ":"))

    def parse(self, text: str | bytes) -> Record:
        """Parse one JSON text.

        Raises
        ------
        ValueError
            Naming the first key that is wrong.
        """
        try:
            return self._adapter.validate_json(text, strict=True)
        except pydantic.ValidationError as error:
            raise ValueError(_describe(error)) from None

    def from_json(self, value: object) -> Record:
        """Build the record from JSON values; raises ValueError naming the first key that is wrong."""
        try:
            text = dumps(value)
        except (TypeError, RecursionError) as error:
            raise ValueError(f"not JSON: {error}") from None
        return self.parse(text)

    @cached_property
    def _adapter(self) -> "pydantic.TypeAdapter[Record]":
        return pydantic.TypeAdapter(self._record_type)


def _describe(error: "pydantic.ValidationError") -> str:
    first: Mapping[str, Any] = error.errors(include_url=False, include_context=False)[0]
    key = ".".join(map(str, first["loc"]))
    message = str(first["msg"])
    if first["type"].startswith("missing"):
        return f"`{key}` is missing"
    if first["type"] in {"unexpected_keyword_argument", "extra_forbidden"}:
        return f"unknown key `{key}`"
    return f"`{key}`: {message[:1].lower()}{message[1:]}" if key else message
