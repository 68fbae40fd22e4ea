"""`LineFormat`: a JSONL format in which every line names the schema and its own kind."""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from promptci.documents.document import JSON_SCHEMA_DIALECT

LineT = TypeVar("LineT")


class LineFormat(Generic[LineT]):
    """Lines that are dataclasses, one class per kind; small records that a file holds by the hundred thousand."""

    def __init__(self, schema_id: str, kinds: Mapping[str, type[LineT]]) -> None:
        self.schema_id = schema_id
        self._classes = dict(kinds)
        self._kinds = {cls: kind for kind, cls in kinds.items()}
        self._names = {kind: [field.name for field in fields(cls)] for kind, cls in kinds.items()}  # type: ignore[arg-type]  # dataclasses

    @cached_property
    def _adapters(self) -> dict[str, TypeAdapter[LineT]]:
        return {kind: TypeAdapter(cls) for kind, cls in self._classes.items()}

    def kind(self, line: LineT) -> str:
        """Return the name of a line's kind."""
        return self._kinds[type(line)]

    def to_value(self, line: LineT) -> dict[str, Any]:
        """Return a line as JSON values."""
        kind = self.kind(line)
        # Without the deep copy of `asdict`: a line holds numbers, texts and tuples of these.
        values = {name: getattr(line, name) for name in self._names[kind]}
        return {"schema": self.schema_id, "kind": kind, **values}

    def from_value(self, value: object) -> LineT | None:
        """Return the line that `to_value` wrote; None for a line of another schema or of an unknown kind.

        Raises
        ------
        ValueError
            If the line claims this schema and a known kind but is invalid.
        """
        if not isinstance(value, Mapping):
            raise ValueError("not a JSON object")  # noqa: TRY004 - one kind of error for bad content
        adapter = self._adapters.get(str(value.get("kind")))
        if value.get("schema") != self.schema_id or adapter is None:
            return None
        try:
            return adapter.validate_python(value)  # unknown keys are ignored
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise ValueError(f"`{'.'.join(map(str, first['loc']))}`: {first['msg']}") from error

    def parse(self, text: bytes) -> LineT | None:
        """Return the line of a text, as `from_value` does; a line as promptci writes it takes a quarter of the time.

        Raises
        ------
        ValueError
            If the text is not JSON, or claims this schema and a known kind but is invalid.
        """
        for start, validate in self._starts:
            if text.startswith(start):
                try:
                    return validate(text)
                except ValidationError:  # `from_value` tells what is wrong
                    break
        return self.from_value(json.loads(text))

    @cached_property
    def _starts(self) -> list[tuple[bytes, Callable[[bytes], LineT]]]:
        """How the lines of each kind begin, as promptci writes them, and what reads such a line."""
        return [
            (
                f'{{"schema":{json.dumps(self.schema_id)},"kind":{json.dumps(kind)},'.encode(),
                adapter.validator.validate_json,
            )
            for kind, adapter in self._adapters.items()
        ]

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of one line."""
        definitions: dict[str, Any] = {}
        for kind, adapter in self._adapters.items():
            schema = adapter.json_schema(mode="serialization", ref_template="#/$defs/{model}")
            definitions |= schema.pop("$defs", {})
            head = {"schema": {"const": self.schema_id}, "kind": {"const": kind}}
            schema["properties"] = {**head, **schema["properties"]}
            schema["required"] = [*head, *schema.get("required", [])]
            definitions[kind] = schema
        choices = [{"$ref": f"#/$defs/{kind}"} for kind in self._adapters]
        return {"$schema": JSON_SCHEMA_DIALECT, "$id": self.schema_id, "anyOf": choices, "$defs": definitions}
