"""JSON Schemas out of a pull request, worked out within bounds, and nothing fetched.

`jsonschema` matches patterns with Python's `re`, which a schema can make run for ever, and follows `$ref` as often as
a schema asks. Here every keyword looks at the clock, and patterns are matched by `patterns.search`.
"""

import contextvars
import functools
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import referencing
from jsonschema import exceptions, validators

from promptci.files import canonical
from promptci.lazy_dataclass import dataclass
from promptci.scoring.assertions import patterns

TIMEOUT_S = 1.0
ERRORS_READ = 20
"""Errors of one answer among which the most telling is picked."""
MAX_DEPTH = 120
"""Keywords within each other. Python's own limit is no guard: where it strikes within `rpds`, the process panics."""


@dataclass(slots=True)
class _Bounds:
    """What the check that is under way has left."""

    ends: float
    """When it must be over, by time.monotonic()."""
    depth: int = 0


_bounds: contextvars.ContextVar[_Bounds] = contextvars.ContextVar("bounds")
MAX_CHECKERS = 256
_checkers: dict[str, Any] = {}


class UndecidedError(Exception):
    """Whether an answer fits the schema cannot be told; the reason in words."""


def dialect(schema: Mapping[str, Any]) -> Any:
    """Return jsonschema's own class for the schema's draft, 2020-12 where it names none; None for one unknown."""
    named = schema.get("$schema")
    if named is None:
        return validators.Draft202012Validator
    find: Any = validators.validator_for
    try:
        validator_class = find({"$schema": named}, default=None) if isinstance(named, str) else None
    except ValueError:  # not a valid address
        return None
    # Draft 3 takes any word for a type, which then fails for the first answer.
    return None if validator_class is validators.Draft3Validator else validator_class


def undialected(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema without `$schema`, which would make jsonschema change to its own, unbounded class."""
    return {key: item for key, item in schema.items() if key != "$schema"}


def first_error(schema: Mapping[str, Any], value: Any) -> Any:
    """Return the most telling error of a value as a `jsonschema.ValidationError`, or None where it fits.

    Raises
    ------
    UndecidedError
        Where it takes too long, or the schema goes round in circles, and no error was found until then.
    """
    token = _bounds.set(_Bounds(time.monotonic() + TIMEOUT_S))
    errors: list[Any] = []
    try:
        for error in itertools.islice(_checker(schema).iter_errors(value), ERRORS_READ):
            errors.append(error)  # noqa: PERF402 - what was found before the time was up is kept
    except TimeoutError as error:
        if not errors:
            raise UndecidedError(f"working out the schema takes longer than {TIMEOUT_S:.0f} s") from error
    except RecursionError as error:
        if not errors:
            raise UndecidedError(
                f"the schema refers to itself without end, or more than {MAX_DEPTH} keywords deep"
            ) from error
    finally:
        _bounds.reset(token)
    return exceptions.best_match(errors)


def _checker(schema: Mapping[str, Any]) -> Any:
    """Return what checks values by a schema; built once for all equal schemas, as each case may hold its own copy."""
    key = repr(schema)  # unlike JSON, it tells the key 1 from the key "1"
    if key not in _checkers:
        while len(_checkers) >= MAX_CHECKERS:
            _checkers.pop(next(iter(_checkers)))
        _checkers[key] = _bounded(dialect(schema))(undialected(schema), registry=referencing.Registry())
    return _checkers[key]


@functools.cache
def _bounded(original: Any) -> Any:
    """Return the draft with a time check in every keyword, and without one that could run forever on its own."""
    own = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "uniqueItems": _unique_items,
    }
    extend: Any = validators.extend
    return extend(original, {name: _timed(own.get(name, check)) for name, check in original.VALIDATORS.items()})


def _timed(check: Callable[..., Any]) -> Callable[..., Any]:
    def timed(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
        _remaining_s()
        bounds = _bounds.get()
        if bounds.depth >= MAX_DEPTH:
            raise RecursionError
        bounds.depth += 1
        try:
            yield from check(validator, value, instance, schema) or ()
        finally:
            bounds.depth -= 1

    return timed


def _remaining_s() -> float:
    remaining = _bounds.get().ends - time.monotonic()
    if remaining <= 0:
        raise TimeoutError
    return remaining


def _matches(pattern: str, text: str) -> bool:
    return patterns.search(pattern, text, timeout_s=_remaining_s())


def _error(message: str) -> Any:
    return exceptions.ValidationError(message)


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[Any]:
    if isinstance(instance, str) and not _matches(pattern, instance):
        yield _error(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Mapping[str, Any], instance: Any, schema: Any) -> Iterator[Any]:
    if not isinstance(instance, dict):
        return
    for pattern, inner in patterns.items():
        for name, item in instance.items():
            if _matches(pattern, name):
                yield from validator.descend(item, inner, path=name, schema_path=pattern)


def _additional_properties(validator: Any, allowed: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    if not isinstance(instance, dict):
        return
    named, matched = schema.get("properties", {}), schema.get("patternProperties", {})
    extra_names = [name for name in instance if name not in named and not any(_matches(p, name) for p in matched)]
    if isinstance(allowed, dict):
        for name in extra_names:
            yield from validator.descend(instance[name], allowed, path=name)
    elif not allowed and extra_names:
        yield _error(f"keys that are not allowed: {', '.join(map(repr, extra_names))}")


def _unique_items(validator: Any, unique: Any, instance: Any, schema: Any) -> Iterator[Any]:
    # jsonschema compares each with each; over a long list of maps that takes minutes.
    if unique is True and isinstance(instance, list):
        different = {canonical.canonical_json(item) for item in instance}
        if len(different) < len(instance):
            yield _error("the items are not all different")
