"""Tables of an engine -> monitor.json."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from promptci.lazy_dataclass import dataclass
from promptci.monitor import tables
from promptci.monitor.document import (
    CoverageRow,
    FailingRow,
    LatencyRow,
    ModelRow,
    MonitorDocument,
    MonitorPeriod,
    SplitRow,
    TrafficRow,
)
from promptci.monitor.tables import LATENCY_KEYS, TRAFFIC_KEYS, LogTables
from promptci.stats.estimates.intervals import wilson_of

if TYPE_CHECKING:
    from ibis import Table

Row = Mapping[str, Any]
MAX_ERROR_KINDS = 50
"""Kinds of error of one prompt that are told apart, the most frequent ones; the others are `other`."""
_COUNTS = ("requests", "judged", "negative", "positive", "unknown_cost")
MAX_TAGS = 1000
"""Tags of one prompt that are listed, the most frequent ones."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MonitorPlan:
    """What a monitor.json is made from, besides the tables."""

    made_at: datetime
    engine: str
    since: datetime | None
    until: datetime | None
    files: Sequence[str]
    problems: Sequence[str]
    coverage: Sequence[CoverageRow]


def build_document(log: LogTables, plan: MonitorPlan) -> MonitorDocument:
    """Compute the tables, and return the document."""
    requests = log.name_rows(tables.select_requests(log, plan.since, plan.until))
    rows = {name: _rows(table) for name, table in tables.all_tables(requests, log.hash_hex).items()}
    (period,) = rows["period"]
    return MonitorDocument(
        made_at=format_time(plan.made_at),
        engine=plan.engine,
        period=MonitorPeriod(
            since=_time_or_none(plan.since),
            until=_time_or_none(plan.until),
            first=_time_or_none(period["first"]),
            last=_time_or_none(period["last"]),
        ),
        files=list(plan.files),
        problems=list(plan.problems),
        traffic=_traffic(rows["traffic"], rows["errors"]),
        latency=_latency(rows["latency"]),
        models=_models(rows["models"]),
        failing=_failing(rows["failing"]),
        splits=_splits(rows["units"], rows["arms"]),
        coverage=list(plan.coverage),
    )


def format_time(moment: datetime) -> str:
    """Return a time in UTC as text, with fractions of a second where it has some."""
    utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return utc.isoformat().replace("+00:00", "Z")


def _time_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else format_time(moment)


def _rows(table: Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.to_pyarrow().to_pylist()
    return rows


def _sorted(rows: Iterable[Row], *keys: str) -> list[Row]:
    """Return rows in the order of some keys, null first."""
    return sorted(rows, key=lambda row: [(row[key] is not None, row[key]) for key in keys])


def _hour(number: int) -> str:
    return format_time(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=int(number)))


def _day(number: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=int(number))).isoformat()


def _traffic(traffic: Sequence[Row], errors: Sequence[Row]) -> list[TrafficRow]:
    common = _common_errors(errors)
    kinds: dict[tuple[Any, ...], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in _sorted(errors, *TRAFFIC_KEYS, "error"):
        kind = row["error"] if row["error"] in common[row["prompt"]] else "other"
        kinds[tuple(row[key] for key in TRAFFIC_KEYS)][kind] += row["n"]
    hours = []
    for row in _sorted(traffic, *TRAFFIC_KEYS):
        key = tuple(row[name] for name in TRAFFIC_KEYS)
        values: dict[str, Any] = {name: row[name] for name in (*TRAFFIC_KEYS, *_COUNTS)}
        values |= {name: int(row[name] or 0) for name in ("input_tokens", "output_tokens")}
        values |= {name: float(row[name] or 0) for name in ("quality_sum", "quality_squares")}
        values |= {"hour": _hour(row["hour"]), "errors": dict(kinds.get(key, {})), "cost_usd": _money(row["cost_usd"])}
        hours.append(TrafficRow(**values))
    return hours


def _common_errors(errors: Sequence[Row]) -> Mapping[str, set[str]]:
    """Return the most frequent kinds of error of each prompt; applications log messages as kinds, too."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in errors:
        counts[row["prompt"]][row["error"]] += row["n"]
    return {
        prompt: set(sorted(kinds, key=lambda kind: (-kinds[kind], kind))[:MAX_ERROR_KINDS])
        for prompt, kinds in counts.items()
    }


def _money(value: Decimal | None) -> Decimal:
    """Return an exact amount without needless zeros."""
    amount = Decimal(value or 0)
    whole = amount.to_integral_value()
    return whole if amount == whole else amount.normalize()


def _latency(rows: Sequence[Row]) -> list[LatencyRow]:
    bins: dict[tuple[Any, ...], dict[int, int]] = {}
    for row in _sorted(rows, *LATENCY_KEYS, "bin"):
        bins.setdefault(tuple(row[key] for key in LATENCY_KEYS), {})[row["bin"]] = row["n"]
    return [
        LatencyRow(day=_day(day), prompt=prompt, version=version, arm=arm, bins=counts)
        for (day, prompt, version, arm), counts in bins.items()
    ]


def _models(rows: Sequence[Row]) -> list[ModelRow]:
    ordered = _sorted(rows, "prompt", "first", "request_model", "response_model", "system_fingerprint")
    return [
        ModelRow(**{**row, "first": format_time(row["first"]), "last": format_time(row["last"])}) for row in ordered
    ]


def _failing(rows: Sequence[Row]) -> list[FailingRow]:
    by_prompt: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (-row["n"], row["tag"])):
        by_prompt[row["prompt"]].append(row)
    tags = []
    for prompt in sorted(by_prompt):
        for row in by_prompt[prompt][:MAX_TAGS]:
            quality = float(row["quality_sum"]) / row["n"]
            interval = wilson_of(quality, row["n"]).ends
            tags.append(FailingRow(prompt=prompt, tag=row["tag"], n=row["n"], quality=quality, interval=interval))
    return sorted(tags, key=lambda row: (row.prompt, row.quality, row.tag))


def _splits(units: Sequence[Row], arms: Sequence[Row]) -> list[SplitRow]:
    checked = {(row["day"], row["prompt"]): row for row in arms}
    days: dict[tuple[int, str], list[Row]] = defaultdict(list)
    for row in units:
        days[row["day"], row["prompt"]].append(row)
    splits = []
    for (day, prompt), rows in sorted(days.items()):
        canary = sum(row["units"] for row in rows if row["arm"] == "canary")
        stable = sum(row["units"] for row in rows if row["arm"] == "stable")
        shares = [(row["share"] / tables.ALL_TRAFFIC, row["units"]) for row in rows]
        expected = math.fsum(share * count for share, count in shares)
        spread = math.sqrt(math.fsum(share * (1 - share) * count for share, count in shares))
        keyed = checked.get((day, prompt), {"keyed": 0, "wrong_arm": 0})
        splits.append(
            SplitRow(
                day=_day(day),
                prompt=prompt,
                stable_units=stable,
                canary_units=canary,
                expected=expected,
                p=math.erfc(abs(canary - expected) / spread / math.sqrt(2)),
                keyed=keyed["keyed"],
                wrong_arm=keyed["wrong_arm"],
            )
        )
    return splits
