"""Spark, with executors of their own, computes the same tables as DuckDB: a million requests."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from fakes import tools
from support import log_formats as formats

from promptci.monitor.document import MonitorDocument
from promptci.usecases.monitoring import monitor
from promptci.usecases.monitoring.monitor import MonitorRequest

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore")]  # Spark's own
LINES, COPIES = 20_000, 50


@pytest.fixture
def stopped_at_the_end() -> Iterator[None]:
    tools.require_spark()
    yield
    from pyspark.sql import SparkSession

    if (session := SparkSession.getActiveSession()) is not None:
        session.stop()


def compute(log: Path, engine: str) -> MonitorDocument:
    now = datetime(2026, 3, 8, tzinfo=UTC)
    return monitor.compute_monitor(MonitorRequest(root=log.parent, logs=(str(log),), now=now, engine=engine))


def test_spark_computes_the_same_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped_at_the_end: None
) -> None:
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--master local-cluster[2,1,1024] pyspark-shell")
    rows = [*formats.old_rows(formats.requests(LINES, days=4))]
    few = formats.write_parquet(tmp_path / "few.parquet", [*rows, *rows[:50]])
    log = tmp_path / "log.parquet"
    request = '"gen_ai.response.id"'
    copies = f"select * replace ({request} || '-' || copy as {request}) from '{few}', range({COPIES}) as t(copy)"  # noqa: S608
    duckdb.execute(f"copy ({copies}) to '{log}' (format parquet)")
    ours, theirs = (compute(log, engine).model_dump() for engine in ("duckdb", "spark://local"))
    names = ("period", "traffic", "latency", "models", "failing", "splits")
    assert {name: theirs[name] for name in names} == {name: ours[name] for name in names}
    assert theirs["coverage"][0]["repeated"] == ours["coverage"][0]["repeated"] == 50 * COPIES
    assert sum(row["requests"] for row in ours["traffic"]) == LINES * COPIES
