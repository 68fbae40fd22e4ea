"""`Document`: a JSON file with a schema id; loaded within bounds, dumped canonically, described by a JSON Schema."""

import json
import math
import os
import stat
from pathlib import Path
from typing import IO, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from promptci.documents.position import line_of
from promptci.errors import InputError, Problem
from promptci.files.lines import JsonError, decode_utf8, parse_json
from promptci.files.system.open_file import open_file
from promptci.redact import Redactor

MAX_PROBLEMS = 20
"""Problems of one file that are reported."""
MAX_INDENTED_CHARS = 2**20
"""Longer documents are written without indentation."""
JSON_SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Document(BaseModel):
    """Base of a file format.

    A subclass declares its schema id as a field, which is also the `schema` key of the file:

        schema_: Literal["promptci/example/v1"] = Field(default="promptci/example/v1", alias="schema")
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)

    MAX_BYTES: ClassVar[int] = 64 * 2**20
    MAX_NUMBER: ClassVar[float] = math.inf
    """Largest absolute value of a fraction."""
    HINT: ClassVar[str] = "Use the file as promptci wrote it, with the same version of promptci."
    """What to do about a file that cannot be used."""

    @classmethod
    def schema_id(cls) -> str:
        """Return the id that the file's `schema` key holds, such as `promptci/shard/v1`."""
        return str(cls.model_fields["schema_"].default)

    @classmethod
    def load(cls, path: Path, label: str | None = None) -> Self:
        """Load a file without following a link; `label` is its name in messages.

        Raises
        ------
        InputError
            If the file cannot be read, is not a regular file, is too large, or does not have this format.
        """
        name = label or str(path)
        return cls.parse(read_bounded(path, name, max_bytes=cls.MAX_BYTES, hint=cls.HINT), name)

    @classmethod
    def parse(cls, data: bytes | str, name: str) -> Self:
        """Parse the content of a file.

        Raises
        ------
        InputError
            With the first problems, each with its line where it has one.
        """
        if len(data) > cls.MAX_BYTES:
            raise _too_large(name, cls.MAX_BYTES, cls.HINT)
        text = decode_utf8(data, name) if isinstance(data, bytes) else data
        try:
            value = parse_json(text, cls.MAX_NUMBER)
        except JsonError as error:
            cause = error.__cause__
            line = cause.lineno if isinstance(cause, json.JSONDecodeError) else None
            raise InputError([Problem(path=name, line=line, message=error.message, hint=cls.HINT)]) from error
        return cls.from_value(value, name, text)

    @classmethod
    def from_value(cls, value: object, name: str, text: str = "") -> Self:
        """Validate parsed JSON; `text`, its source, gives the problems their lines."""
        found_id = value.get("schema") if isinstance(value, dict) else None
        if found_id != cls.schema_id():
            message = f"`schema` is {json.dumps(found_id, default=str)[:100]}, expected `{cls.schema_id()}`"
            raise InputError([Problem(path=name, line=line_of(text, ["schema"]), message=message, hint=cls.HINT)])
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)[:MAX_PROBLEMS]
            raise InputError([_problem(detail, name, text, cls.HINT) for detail in details]) from error

    def dump(self) -> str:
        """Return the file's text: keys in the order of the model, unknown as null, equal text for equal documents."""
        text = self.model_dump_json(by_alias=True, indent=2)
        return (text if len(text) <= MAX_INDENTED_CHARS else self.model_dump_json(by_alias=True)) + "\n"

    def redacted(self, redactor: Redactor) -> Self:
        """Return the document without secrets."""
        return self.model_validate(redactor.redact_value(self.model_dump(mode="json", by_alias=True)))

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Return the JSON Schema of what `dump` writes."""
        described = cls.model_json_schema(by_alias=True, mode="serialization")
        return {"$schema": JSON_SCHEMA_DIALECT, "$id": cls.schema_id(), **described}


def read_bounded(path: Path, name: str, *, max_bytes: int, hint: str) -> bytes:
    """Read a regular file of at most `max_bytes`; the last step of the path must not be a link.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    with open_bounded(path, name, max_bytes=max_bytes, hint=hint) as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise _too_large(name, max_bytes, hint)
    return data


def open_bounded(path: Path, name: str, *, max_bytes: int, hint: str) -> IO[bytes]:
    """Open a regular file of at most `max_bytes`; the last step of the path must not be a link.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        descriptor = open_file(path)
    except OSError as error:
        raise InputError([Problem(path=name, message=f"cannot be read: {error.strerror}", hint=hint)]) from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_size > max_bytes:
        os.close(descriptor)
        if stat.S_ISREG(status.st_mode):
            raise _too_large(name, max_bytes, hint)
        raise InputError([Problem(path=name, message="not a regular file", hint=hint)])
    return os.fdopen(descriptor, "rb")


def _too_large(name: str, max_bytes: int, hint: str) -> InputError:
    return InputError([Problem(path=name, message=f"larger than {max_bytes / 2**20:g} MiB", hint=hint)])


def _problem(detail: ErrorDetails, name: str, text: str, hint: str) -> Problem:
    key = ".".join(str(step) for step in detail["loc"])
    reason = detail["msg"].removeprefix("Value error, ")[:300]
    message = f"`{key}`: {reason}" if key else reason
    return Problem(path=name, line=line_of(text, detail["loc"]), message=message, hint=hint)
