"""The tables compile for every engine."""

from datetime import UTC, datetime
from functools import cache

import ibis
import pytest
from support.daily import first_daily

from promptci.monitor import tables
from promptci.monitor.arm_hash import hash_hex
from promptci.monitor.engines import TYPES
from promptci.monitor.tables import LogTables

ENGINES = ("duckdb", "bigquery", "snowflake", "clickhouse", "trino", "databricks")
REQUESTS = ibis.table(TYPES, name="requests")
MARKS = ibis.table({name: TYPES[name] for name in ("time", "request", "quality", "signal", "cost_usd")}, name="marks")
NAMES = ("traffic", "errors", "latency", "models", "failing", "units", "arms", "period")


@cache
def all_tables(engine: str) -> dict[str, ibis.Table]:
    log = LogTables(requests=tables.find_repeats(REQUESTS), marks=MARKS, hash_hex=hash_hex(engine))
    rows = tables.select_requests(log, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    return tables.all_tables(rows, log.hash_hex)


@cache
def sql(engine: str, name: str) -> str:
    return str(ibis.to_sql(all_tables(engine)[name], dialect=engine))


@pytest.mark.parametrize("engine", first_daily(ENGINES, 2))
def test_every_table_compiles(engine: str) -> None:
    assert tuple(all_tables(engine)) == NAMES
    approximate = ("approx", "quantile", "uniq(", "hll", "ndv(")
    assert [name for name in NAMES if any(word in sql(engine, name).lower() for word in approximate)] == []


@pytest.mark.parametrize(
    ("engine", "call"),
    [
        ("duckdb", "SHA256("),
        ("bigquery", "TO_HEX(SHA256("),
        ("snowflake", "SHA2("),
        ("clickhouse", "hex(SHA256("),
        ("trino", "TO_HEX(SHA256(TO_UTF8("),
        ("databricks", "SHA2("),
    ],
)
def test_each_engine_hashes_by_its_own_function(engine: str, call: str) -> None:
    assert call.lower() in sql(engine, "arms").replace("\n", "").replace(" ", "").lower()
