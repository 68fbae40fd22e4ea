"""Columns of several files -> one log in the order of time: each request once, with the marks that came later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace

import numpy as np

from promptci.errors import Problem
from promptci.lazy_dataclass import dataclass
from promptci.requestlog.columns import (
    MARK_ARRAYS,
    NO_SIGNAL,
    Array,
    MarkColumns,
    RequestColumns,
    Texts,
    concatenate_columns,
    empty_columns,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class WantedRequests:
    """Which requests are kept, and by which salt keys are hashed."""

    since: Mapping[str, int]
    """Of each prompt, in microseconds since 1970; requests of other prompts, and earlier ones, are left out."""
    salts: Mapping[str, str] = field(default_factory=dict)
    """Of each prompt's canary."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LogBatch:
    """What one file holds, in the order of its lines."""

    requests: RequestColumns
    marks: MarkColumns
    lines: int
    """That hold something."""
    invalid_lines: int = 0
    problems: tuple[Problem, ...] = ()
    """The first of the bad lines."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestLog:
    """What was read, in the order of time."""

    requests: RequestColumns = field(default_factory=empty_columns)
    files: int = 0
    lines: int = 0
    """That hold something."""
    invalid_lines: int = 0
    """Lines that could not be used."""
    repeated_lines: int = 0
    """Lines of a request that was there already."""
    late_lines: int = 0
    """Lines with a later mark of a request."""
    problems: tuple[Problem, ...] = ()
    """The first of the bad lines."""

    def requests_of(self, prompt: str) -> RequestColumns:
        """Return the requests of one prompt."""
        is_of = self.requests.prompt == self.requests.texts.number_of(prompt)
        return self.requests if is_of.all() else self.requests.select(is_of)


def keep_selected(requests: RequestColumns, selection: WantedRequests) -> RequestColumns:
    """Return the requests of the selected prompts and times."""
    kept = np.zeros(len(requests), bool)
    for prompt, since in selection.since.items():
        kept |= (requests.prompt == requests.texts.number_of(prompt)) & (requests.time >= since)
    return requests if kept.all() else requests.select(kept)


def join_batches(batches: Sequence[LogBatch], texts: Texts) -> tuple[RequestColumns, int]:
    """Return the requests of all batches in the order of time, and how many lines repeat a request.

    A second line of a request is not counted again; it only adds what the first one lacks. Of several marks the
    earliest counts, so that a later one changes nothing that was decided before.
    """
    if not batches:
        return empty_columns(texts), 0
    every = concatenate_columns([each.requests for each in batches], texts)
    marks = MarkColumns(
        **{name: np.concatenate([getattr(each.marks, name) for each in batches]) for name in MARK_ARRAYS}
    )
    first, repeated = _find_first(every)
    again = every.select(repeated)
    marks = MarkColumns(**{name: np.concatenate([getattr(marks, name), getattr(again, name)]) for name in MARK_ARRAYS})
    kept = _add_marks(every.select(first) if len(repeated) else every, marks)
    # Most logs are in the order of time and repeat nothing: then no column is copied.
    is_ordered = bool((kept.time[1:] >= kept.time[:-1]).all())
    return kept if is_ordered else kept.select(np.argsort(kept.time, kind="stable")), len(repeated)


def _find_first(requests: RequestColumns) -> tuple[Array, Array]:
    """Return the places of each request's first line, and those of the others, in the order of reading."""
    order = np.lexsort((requests.id, requests.prompt))
    ids, prompts = requests.id[order], requests.prompt[order]
    is_again = np.zeros(len(requests), bool)
    is_again[order[1:]] = (ids[1:] == ids[:-1]) & (prompts[1:] == prompts[:-1])
    return np.flatnonzero(~is_again), np.flatnonzero(is_again)


def _add_marks(requests: RequestColumns, marks: MarkColumns) -> RequestColumns:
    if not len(marks):
        return requests
    order = np.argsort(requests.id, kind="stable")
    quality, scored = _fill(requests, order, marks, "quality", requests.scored)
    signal, signalled = _fill(requests, order, marks, "signal", requests.signalled)
    cost, _ = _fill(requests, order, marks, "cost_usd", requests.time)
    return replace(requests, quality=quality, scored=scored, signal=signal, signalled=signalled, cost_usd=cost)


def _fill(requests: RequestColumns, order: Array, marks: MarkColumns, name: str, known: Array) -> tuple[Array, Array]:
    """Return a column with the earliest late value where it has none, and the times at which its values were known."""
    column, late = getattr(requests, name), getattr(marks, name)
    missing = column == NO_SIGNAL if name == "signal" else np.isnan(column)
    has_value = np.flatnonzero(late != NO_SIGNAL if name == "signal" else ~np.isnan(late))
    has_value = has_value[np.argsort(marks.time[has_value], kind="stable")[::-1]]  # the earliest is written last
    ids = requests.id[order]
    begin, end = (np.searchsorted(ids, marks.id[has_value], side=side) for side in ("left", "right"))
    column, known = column.copy(), known.copy()
    # An id belongs to one request of each prompt; nearly always to one in all.
    for step in range(int((end - begin).max(initial=0))):
        which = begin + step < end
        places, source = order[(begin + step)[which]], has_value[which]
        open_places = missing[places]
        places, source = places[open_places], source[open_places]
        column[places] = late[source]
        known[places] = np.maximum(marks.time[source], requests.time[places])
    return column, known
