"""The tables compile for every engine."""

from datetime import UTC, datetime
from functools import cache

import ibis
import pytest

from promptci.monitor import tables
from promptci.monitor.arm_hash import hash_hex
from promptci.monitor.engines import TYPES
from promptci.monitor.tables import LogTables

ENGINES = ("duckdb", "bigquery", "snowflake", "clickhouse", "trino", "databricks")
REQUESTS = ibis.table(TYPES, name="requests")
MARKS = ibis.table({name: TYPES[name] for name in ("time", "request", "quality", "signal", "cost_usd")}, name="marks")
NAMES = ("traffic", "errors", "latency", "models", "failing", "units", "arms", "period")


@cache
def all_sql(engine: str) -> dict[str, str]:
    log = LogTables(requests=tables.find_repeats(REQUESTS), marks=MARKS, hash_hex=hash_hex(engine))
    rows = tables.select_requests(log, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    every = tables.all_tables(rows, log.hash_hex)
    return {name: str(ibis.to_sql(table, dialect=engine)) for name, table in every.items()}


@pytest.mark.parametrize("engine", ENGINES)
def test_every_table_compiles(engine: str) -> None:
    sql = all_sql(engine)
    assert tuple(sql) == NAMES
    approximate = ("approx", "quantile", "uniq(", "hll", "ndv(")
    assert [name for name, text in sql.items() if any(word in text.lower() for word in approximate)] == []


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
    assert call.lower() in all_sql(engine)["arms"].replace("\n", "").replace(" ", "").lower()
