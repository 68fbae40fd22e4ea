"""Find what is wrong with a JSON Schema before anything is asked, so that no answer is bought that cannot be marked."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jsonschema
import referencing
import referencing.jsonschema
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped] # ships no types

from promptci.scoring.assertions import base, bounded_schema, patterns

PROBES: tuple[Any, ...] = (None, {}, [], "", 0)
"""A schema that cannot be worked out for these cannot be for any answer."""
MAX_KNOWN = 256
_known: dict[str, str | None] = {}
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


class _WrongError(Exception):
    """The schema cannot be used; the reason in words."""


def problem(schema: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a schema, or None. What it refers to must stand in it; nothing is fetched.

    Equal schemas are looked at once, as each of thousands of cases may hold its own copy.
    """
    try:
        key = repr(schema)  # unlike JSON, it tells the key 1 from the key "1"
    except RecursionError:
        return "the schema is nested too deeply"
    if key not in _known:
        while len(_known) >= MAX_KNOWN:
            _known.pop(next(iter(_known)))
        _known[key] = _find_problem(schema)
    return _known[key]


def find_operand_error(value: Any) -> str | None:
    """Return what is wrong with the `value` of an assertion that must be a schema, short enough for a message."""
    if not isinstance(value, dict):
        return "`value` must be a JSON Schema"
    wrong = problem(value)
    return base.shorten(wrong, base.MAX_MESSAGE_CHARS) if wrong else None


def _find_problem(schema: Mapping[str, Any]) -> str | None:
    try:
        _check_keys(schema, top=True)
        inner = list(_subschemas(schema))
        _check_patterns(inner)
        for value in PROBES:
            bounded_schema.first_error(schema, value)
    except (_WrongError, bounded_schema.UndecidedError) as error:
        return str(error)
    except jsonschema.SchemaError as error:
        return f"the schema is not valid: {error.message}"
    except referencing.exceptions.Unresolvable as error:
        return f"the schema refers to `{error.ref}`, which is not in it (nothing is fetched)"
    except RecursionError:
        return "the schema is nested too deeply"
    except ValueError as error:  # `$id` or `$ref` that is no address
        return f"the schema holds an address that cannot be read: {error}"
    return None


def _check_keys(value: Any, *, top: bool) -> None:
    """Refuse keys that are no text, and a draft within the draft, which would escape the bounds."""
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise _WrongError("every key of the schema must be a text; put numbers in quotes")
        if not top and isinstance(value.get("$schema"), str):
            raise _WrongError("`$schema` may stand only at the top of the schema")
        for item in value.values():
            _check_keys(item, top=False)
    elif isinstance(value, list):
        for item in value:
            _check_keys(item, top=False)


def _subschemas(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Check and yield the schema and all schemas in it, including those that are only reached by a reference."""
    dialect = bounded_schema.dialect(schema)
    if dialect is None:
        raise _WrongError("`$schema` must name a draft of JSON Schema from 4 on; leave it out for 2020-12")
    specification = referencing.jsonschema.specification_with(dialect.META_SCHEMA["$schema"])
    whole = bounded_schema.undialected(schema)
    # Patterns are checked by _check_patterns: by the rules of the package that will match them.
    formats = jsonschema.FormatChecker(formats=())
    dialect.check_schema(whole, format_checker=formats)
    waiting: list[tuple[Any, Any]] = [(REGISTRY.resolver_with_root(specification.create_resource(whole)), whole)]
    seen: set[int] = set()
    while waiting:
        resolver, inner = waiting.pop()
        if not isinstance(inner, Mapping) or id(inner) in seen:
            continue
        seen.add(id(inner))
        yield inner
        for name in (inner[key] for key in _REFERENCES if isinstance(inner.get(key), str)):
            resolved = _look_up(resolver, name)
            dialect.check_schema(resolved.contents, format_checker=formats)
            waiting.append((resolved.resolver, resolved.contents))
        within = specification.create_resource(inner).subresources()
        waiting.extend((resolver.in_subresource(resource), resource.contents) for resource in within)


def _look_up(resolver: Any, name: str) -> Any:
    try:
        resolved = resolver.lookup(name)
    except (TypeError, ValueError) as error:  # a path through a number, or past a list's end
        raise _WrongError(f"the schema refers to `{name}`, which cannot be followed") from error
    if not isinstance(resolved.contents, Mapping | bool):
        raise _WrongError(f"the schema refers to `{name}`, which is no schema")
    return resolved


def _check_patterns(schemas: Sequence[Mapping[str, Any]]) -> None:
    keyed = [pattern for schema in schemas for pattern in schema.get("patternProperties", {})]
    if keyed and any("unevaluatedProperties" in schema for schema in schemas):
        # jsonschema matches these patterns by itself, without a bound.
        raise _WrongError("`patternProperties` together with `unevaluatedProperties` is not supported")
    for pattern in (*keyed, *(schema["pattern"] for schema in schemas if "pattern" in schema)):
        try:
            patterns.compiled(pattern)
        except patterns.PatternError as error:
            raise _WrongError(f"{error} (in `{pattern[:40]}`)") from error
