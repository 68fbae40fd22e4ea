"""The tables of the monitor as Ibis expressions that every engine can compute.

No exact quantiles, no approximate ones, no time buckets, and distinct values only by grouping: some engine lacks each
of them, or answers it otherwise. A test compiles every expression for each engine.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING

from promptci.lazy_dataclass import dataclass
from promptci.lazy_import import lazy_import
from promptci.monitor.histogram import BASE, SHORTEST_MS

if TYPE_CHECKING:
    import ibis
    from ibis import Table
    from ibis import Value as Column
else:
    ibis = lazy_import("ibis")

HOUR_S, DAY_S = 3600, 86_400
ALL_TRAFFIC = 10_000
"""The share of all traffic, in 1/100 %."""
EXACT = "decimal(18, 9)"
"""Type of scores while they are added: a sum of floats depends on the order."""
TRAFFIC_KEYS = ("hour", "prompt", "version", "arm", "request_model", "response_model")
LATENCY_KEYS = ("day", "prompt", "version", "arm")
_MARKED = ("quality", "signal", "cost_usd")
_DIGITS = "0123456789abcdef"


@dataclass(frozen=True, kw_only=True, slots=True)
class LogTables:
    """A log in an engine; each request once."""

    requests: Table
    marks: Table | None
    """What became known later; None: nothing."""
    hash_hex: Callable[[Column], Column]
    """SHA-256 of a text in hexadecimal digits; engines name it differently."""
    name_rows: Callable[[Table], Table] = field(default=lambda rows: rows)
    """Gives rows a name in an engine where that is allowed, so that each of the tables is compiled without them."""


def select_requests(log: LogTables, since: datetime | None, until: datetime | None) -> Table:
    """Return the requests of a time, `until` not included, with hour, day, and the marks that came later."""
    rows = log.requests
    if since is not None:
        rows = rows.filter(rows.time >= ibis.literal(since.replace(tzinfo=None)))
    if until is not None:
        rows = rows.filter(rows.time < ibis.literal(until.replace(tzinfo=None)))
    if log.marks is not None:
        marks = _first_marks(log.marks)
        joined = rows.left_join(marks, rows.request == marks.marked)
        late = {name: ibis.coalesce(joined[name], joined[f"late_{name}"]) for name in _MARKED}
        rows = joined.mutate(**late).select(*rows.columns)
    seconds = rows.time.epoch_seconds()
    return rows.mutate(hour=seconds // HOUR_S, day=seconds // DAY_S)


def _first_marks(marks: Table) -> Table:
    """Return the earliest mark of each kind of each request."""
    known = marks.filter(marks.request.notnull())
    # Of marks of one moment the lowest counts, so that every engine takes the same one.
    firsts = []
    for name in _MARKED:
        some = known.filter(known[name].notnull())
        place = ibis.row_number().over(group_by=some.request, order_by=[some.time, some[name]])
        numbered = some.mutate(place=place)
        firsts.append(numbered.filter(numbered.place == 0).select(marked="request", **{f"late_{name}": name}))
    wide = [
        first.mutate(
            **{
                f"late_{other}": ibis.null(known[other].type())
                for other in _MARKED
                if f"late_{other}" not in first.columns
            }
        ).select("marked", *(f"late_{each}" for each in _MARKED))
        for first in firsts
    ]
    every = ibis.union(*wide)
    return every.group_by("marked").agg(**{f"late_{name}": every[f"late_{name}"].max() for name in _MARKED})


def find_repeats(requests: Table) -> Table:
    """Return the requests, each once: its first line."""
    order = [requests.time, requests.version, requests.arm, requests.error, requests.latency_ms]
    numbered = requests.mutate(
        place=ibis.row_number().over(group_by=[requests.prompt, requests.request], order_by=order)
    )
    return numbered.filter(numbered.place == 0).drop("place")


def count_traffic(rows: Table) -> Table:
    """Return sums by hour, prompt, version, arm and models."""
    return rows.group_by(TRAFFIC_KEYS).agg(
        requests=ibis._.count(),
        judged=_count(rows.quality.notnull()),
        quality_sum=rows.quality.cast(EXACT).sum(),
        quality_squares=(rows.quality * rows.quality).cast(EXACT).sum(),
        negative=_count(rows.signal == "negative"),
        positive=_count(rows.signal == "positive"),
        input_tokens=rows.input_tokens.sum(),
        output_tokens=rows.output_tokens.sum(),
        cost_usd=rows.cost_usd.sum(),
        unknown_cost=_count(rows.cost_usd.isnull()),
    )


def count_errors(rows: Table) -> Table:
    """Return failed requests by the keys of the traffic and kind of error."""
    failed = rows.filter(rows.error.notnull())
    return failed.group_by([*TRAFFIC_KEYS, "error"]).agg(n=ibis._.count())


def count_latencies(rows: Table) -> Table:
    """Return answered requests by day, prompt, version, arm and bin of the latency."""
    answered = rows.filter(rows.latency_ms.notnull() & rows.error.isnull())
    logarithm = ibis.greatest(answered.latency_ms, ibis.literal(SHORTEST_MS)).ln() / math.log(BASE)
    # Nothing is rounded down to a lower bin by the last bit of a logarithm.
    return answered.mutate(bin=logarithm.ceil().cast("int64")).group_by([*LATENCY_KEYS, "bin"]).agg(n=ibis._.count())


def find_models(rows: Table) -> Table:
    """Return when each combination of models was first and last seen."""
    named = rows.filter(rows.request_model.notnull() | rows.response_model.notnull())
    keys = ["prompt", "request_model", "response_model", "system_fingerprint"]
    return named.group_by(keys).agg(first=named.time.min(), last=named.time.max(), requests=ibis._.count())


def count_tags(rows: Table) -> Table:
    """Return judged requests and the sum of their quality by prompt and tag."""
    judged = rows.filter(rows.tag.notnull() & rows.quality.notnull())
    return judged.group_by(["prompt", "tag"]).agg(n=ibis._.count(), quality_sum=judged.quality.cast(EXACT).sum())


def count_units(rows: Table) -> Table:
    """Return different units by day, prompt, share and arm, where the share is between 0 and 100%."""
    split = _split_rows(rows)
    units = split.mutate(who=ibis.coalesce(split.unit, split.request)).select("day", "prompt", "share", "arm", "who")
    return units.distinct().group_by(["day", "prompt", "share", "arm"]).agg(units=ibis._.count())


def check_arms(rows: Table, hash_hex: Callable[[Column], Column]) -> Table:
    """Return, by day and prompt, the requests whose arm can be computed from the key, and those in the other arm."""
    split = _split_rows(rows)
    tried = split.filter(split.arm == "canary")
    # Of a day with two canaries the log does not show which one a stable request was compared with.
    salts = (
        tried.group_by(["day", "prompt"])
        .agg(lowest=tried.version.min(), highest=tried.version.max())
        .filter(ibis._.lowest == ibis._.highest)
        .select(salt_day="day", salt_prompt="prompt", tried="lowest")
    )
    keyed = split.filter(split.key.notnull())
    joined = keyed.inner_join(salts, [keyed.day == salts.salt_day, keyed.prompt == salts.salt_prompt])
    short = joined.tried.replace(ibis.literal("prompts/") + joined.prompt + "/", "")
    digits = hash_hex(joined.prompt + "@" + short + "\n" + joined.key).lower()
    point = sum(
        (_digit(digits, place) * ibis.literal(16 ** (7 - place), "int64") for place in range(8)),
        ibis.literal(0, "int64"),
    )
    is_canary = point * ALL_TRAFFIC < joined.share * 2.0**32
    checked = joined.mutate(wrong=(is_canary != (joined.arm == "canary")).cast("int64"))
    return checked.group_by(["day", "prompt"]).agg(keyed=ibis._.count(), wrong_arm=checked.wrong.sum())


def measure_period(rows: Table) -> Table:
    """Return one row with the times of the first and the last request."""
    return rows.agg(first=rows.time.min(), last=rows.time.max(), requests=rows.count())


def all_tables(rows: Table, hash_hex: Callable[[Column], Column]) -> dict[str, Table]:
    """Return every expression by its name."""
    return {
        "traffic": count_traffic(rows),
        "errors": count_errors(rows),
        "latency": count_latencies(rows),
        "models": find_models(rows),
        "failing": count_tags(rows),
        "units": count_units(rows),
        "arms": check_arms(rows, hash_hex),
        "period": measure_period(rows),
    }


def _split_rows(rows: Table) -> Table:
    return rows.filter((rows.share > 0) & (rows.share < ALL_TRAFFIC) & rows.arm.notnull())


def _digit(digits: Column, place: int) -> Column:
    return ibis.literal(_DIGITS).find(digits.substr(place, 1)).cast("int64")


def _count(condition: Column) -> Column:
    return condition.fill_null(False).cast("int64").sum()
