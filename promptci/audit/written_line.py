"""Recognize the lines that promptci wrote, in half the time that reading them as JSON takes.

The pattern is made of the fields of `AuditEntry`, in their order. A line that fits is an entry; any other may be one,
and is parsed.
"""

import re
import types
import typing
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from promptci.audit import log
from promptci.audit.chain import AuditLine
from promptci.audit.entry import AuditEntry

_GROUPS = {
    "n": "n",
    "what": "what",
    "prompt": "prompt",
    "to.version": "version",
    "to.fingerprint": "fingerprint",
    "evidence": "evidence",
}
"""Values that are wanted: the name of each by its path."""
_EVIDENCE = re.compile(r'"name":"([^"]*)","sha256":"([^"]*)"')


class EntryFacts(NamedTuple):
    """What an entry names that can be compared with what is in the repository."""

    n: int
    what: str
    prompt: str | None
    version: str | None
    """That runs or was released."""
    fingerprint: str | None
    evidence: list[tuple[str, str]]
    """Name and SHA-256 of each file."""


def iterate_facts(lines: Iterable[AuditLine], problems: list[str]) -> Iterator[EntryFacts]:
    """Yield the facts of each entry, and add to `problems` what is wrong with each line that is none."""
    for line in lines:
        if facts := match_facts(line.content):
            yield facts
        else:
            yield from map(facts_of, log.iterate_entries([line], problems))


def match_facts(content: bytes) -> EntryFacts | None:
    """Return the facts of a line that promptci wrote; None for one that must be parsed."""
    try:
        match = _pattern().fullmatch(content.decode())
    except UnicodeDecodeError:
        return None
    if match is None:
        return None
    return EntryFacts(
        int(match["n"]),
        match["what"],
        match["prompt"],
        match["version"],
        match["fingerprint"],
        _EVIDENCE.findall(match["evidence"] or ""),
    )


def facts_of(entry: AuditEntry) -> EntryFacts:
    """Return the facts of a parsed entry."""
    version, fingerprint = (entry.to.version, entry.to.fingerprint) if entry.to else (None, None)
    evidence = [(each.name, each.sha256) for each in entry.evidence]
    return EntryFacts(entry.n, entry.what, entry.prompt, version, fingerprint, evidence)


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile(_model(AuditEntry, ""), re.ASCII)


def _model(model: type[BaseModel], path: str) -> str:
    """Return the pattern of an object; after each value comes a comma and the next key, or the end."""
    fields = (_field(info.alias or name, info, path) for name, info in model.model_fields.items())
    return rf"\{{{''.join(fields)}\}}"


def _field(name: str, info: FieldInfo, path: str) -> str:
    value = _value(info.annotation, info.metadata, f"{path}{name}")
    pattern = rf'"{name}":{value}(?:,(?=")|(?=\}}))'
    return pattern if info.is_required() else f"(?:{pattern})?"


def _value(annotation: Any, metadata: Sequence[Any], path: str) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _value(arguments[0], arguments[1].metadata, path)
    if origin in {types.UnionType, typing.Union}:  # None is left out of a line
        return _value(arguments[0], metadata, path)
    if origin is Literal:
        return f'"{_group("|".join(map(re.escape, arguments)), path)}"'
    if origin is tuple:
        return _group(rf"\[(?:{_value(arguments[0], (), f'{path}[].')}(?:,(?!\])|(?=\])))*\]", path)
    if annotation is str:
        return f'"{_group(_text(metadata), path)}"'
    if annotation is int:
        return _group("[1-9][0-9]{0,17}", path)
    if annotation is float:
        return r"(?:100\.0|[1-9]?[0-9]\.[0-9]{1,17})"  # a share in percent
    return _model(annotation, f"{path}.")


def _text(metadata: Sequence[Any]) -> str:
    """Return the pattern of a text in which nothing is escaped."""
    for constraint in metadata:
        if pattern := getattr(constraint, "pattern", None):
            return str(pattern).removeprefix("^").removesuffix("$")
    most = next((constraint.max_length for constraint in metadata if hasattr(constraint, "max_length")), "")
    return rf'[^"\\\x00-\x1f]{{0,{most}}}'


def _group(pattern: str, path: str) -> str:
    return f"(?P<{_GROUPS[path]}>{pattern})" if path in _GROUPS else f"(?:{pattern})"
