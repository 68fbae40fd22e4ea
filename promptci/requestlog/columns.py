"""Requests of the log as columns: one NumPy array for each field, one element for each request."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, fields
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from promptci.lazy_dataclass import dataclass
from promptci.requestlog.model import LateMark, Observation

STABLE, CANARY, UNKNOWN_ARM = 0, 1, -1
ARM_CODES = {"stable": STABLE, "canary": CANARY, None: UNKNOWN_ARM}
NO_SIGNAL, POSITIVE, NEGATIVE = 0, 1, 2
SIGNAL_CODES = {None: NO_SIGNAL, "positive": POSITIVE, "negative": NEGATIVE}
NO_TEXT, NO_POINT, NO_USER = -1, -1, 0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Array = NDArray[Any]


def hash_texts(values: Sequence[str | None]) -> Array:
    """Return 64 bits of each text's hash; NO_USER for none."""
    return np.fromiter((NO_USER if value is None else _hash_text(value) for value in values), "u8", count=len(values))


def _hash_text(text: str) -> int:
    return int.from_bytes(hashlib.md5(text.encode(), usedforsecurity=False).digest()[:8], "little")


@dataclass(kw_only=True, slots=True)
class Texts:
    """Texts that many requests share, such as names of models, each with its number."""

    values: list[str] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    hash_all: Callable[[Sequence[str | None]], Array] = hash_texts
    """The hash of ids and users, the same for all files of a log."""

    def number_of(self, text: str | None) -> int:
        """Return the number of a text, a new one where it has none."""
        if text is None:
            return NO_TEXT
        number = self.numbers.setdefault(text, len(self.values))
        if number == len(self.values):
            self.values.append(text)
        return number


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RequestColumns:
    """Requests; times are in microseconds since 1970, unknown numbers are NaN."""

    texts: Texts
    id: Array
    """A hash of the request's id."""
    time: Array
    prompt: Array
    """Number in `texts`, as `version` and the models."""
    version: Array
    arm: Array
    share: Array
    """In percent."""
    user: Array
    """A hash of the user's unit, or its number by `number_users`; NO_USER: the request stands for itself."""
    point: Array
    """Point of the user's key under the hash of the bundle; NO_POINT: no key is logged."""
    failed: Array
    latency_ms: Array
    cost_usd: Array
    quality: Array
    scored: Array
    """When the quality became known; the request's time where it was known at once."""
    signal: Array
    signalled: Array
    model: Array
    response_model: Array
    output_tokens: Array

    def __len__(self) -> int:
        """Return the number of requests."""
        return len(self.time)

    def select(self, which: Array) -> RequestColumns:
        """Return some of the requests, by a mask or by their places."""
        return RequestColumns(texts=self.texts, **{name: getattr(self, name)[which] for name in ARRAYS})

    def count_users(self) -> int | None:
        """Return the number of users; None where the requests name none."""
        return len(np.unique(self.user[self.user != NO_USER])) or None

    def names(self, column: Array) -> tuple[str, ...]:
        """Return the texts that a column of numbers stands for, each once, sorted."""
        used = np.flatnonzero(np.bincount(column[column != NO_TEXT]))
        return tuple(sorted(self.texts.values[number] for number in used))


ARRAYS = tuple(each.name for each in fields(RequestColumns) if each.name != "texts")
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "id": "u8",
        "time": "i8",
        "prompt": "i4",
        "version": "i4",
        "arm": "i1",
        "share": "f8",
        "user": "u8",
        "point": "i8",
        "failed": "?",
        "latency_ms": "f8",
        "cost_usd": "f8",
        "quality": "f8",
        "scored": "i8",
        "signal": "i1",
        "signalled": "i8",
        "model": "i4",
        "response_model": "i4",
        "output_tokens": "f8",
    }
)
"""Type of each column."""
TEXT_ARRAYS = ("prompt", "version", "model", "response_model")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class MarkColumns:
    """Marks that came later."""

    id: Array
    time: Array
    quality: Array
    signal: Array
    cost_usd: Array

    def __len__(self) -> int:
        """Return the number of marks."""
        return len(self.time)


MARK_ARRAYS = tuple(each.name for each in fields(MarkColumns))


def concatenate_columns(parts: Sequence[RequestColumns], texts: Texts) -> RequestColumns:
    """Return the requests of all parts, in their order; the arrays of a single part are not copied."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return empty_columns(texts)
    arrays = {name: np.concatenate([getattr(each, name) for each in parts]) for name in ARRAYS}
    return RequestColumns(texts=texts, **arrays)


def empty_columns(texts: Texts | None = None) -> RequestColumns:
    """Return no requests."""
    return columns_of((), texts)


def number_users(users: Array) -> Array:
    """Return users as numbers from 1 on, which can be places in a table; NO_USER stays."""
    if users.dtype == np.int32:
        return users
    distinct, numbers = np.unique(users, return_inverse=True)
    return np.asarray(numbers + (not len(distinct) or distinct[0] != NO_USER), "i4")


def microseconds(moment: datetime) -> int:
    """Return the microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(value: float) -> datetime:
    """Return the time, in UTC, of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=int(value))


def columns_of(
    requests: Sequence[Observation], texts: Texts | None = None, points: Sequence[int] = ()
) -> RequestColumns:
    """Return requests as columns, in the order given; `points` are those of their keys."""
    table = Texts() if texts is None else texts
    none = float("nan")
    values: dict[str, Iterable[Any]] = {
        "time": (microseconds(each.time) for each in requests),
        "arm": (ARM_CODES[each.arm] for each in requests),
        "point": points or (NO_POINT for _ in requests),
        "failed": (each.error is not None for each in requests),
        "scored": (microseconds(each.scored or each.time) for each in requests),
        "signal": (SIGNAL_CODES[each.signal] for each in requests),
        "signalled": (microseconds(each.signalled or each.time) for each in requests),
    }
    for name in TEXT_ARRAYS:
        values[name] = [table.number_of(getattr(each, name)) for each in requests]
    for name in ("share", "latency_ms", "cost_usd", "quality", "output_tokens"):
        values[name] = [none if (value := getattr(each, name)) is None else value for each in requests]
    arrays = {name: np.fromiter(column, KINDS[name], count=len(requests)) for name, column in values.items()}
    hashes = {name: table.hash_all([getattr(each, name) for each in requests]) for name in ("id", "user")}
    return RequestColumns(texts=table, **arrays, **hashes)


def mark_columns_of(marks: Sequence[LateMark], texts: Texts) -> MarkColumns:
    """Return late marks as columns, in the order given."""
    none = float("nan")
    return MarkColumns(
        id=texts.hash_all([each.id for each in marks]),
        time=np.fromiter((microseconds(each.time) for each in marks), "i8", count=len(marks)),
        quality=np.array([none if each.quality is None else each.quality for each in marks], "f8"),
        signal=np.array([SIGNAL_CODES[each.signal] for each in marks], "i1"),
        cost_usd=np.array([none if each.cost_usd is None else each.cost_usd for each in marks], "f8"),
    )
