"""monitor.json by the hour, for tests of what is made from it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from promptci.monitor.document import (
    CoverageRow,
    LatencyRow,
    MonitorDocument,
    MonitorPeriod,
    TrafficRow,
)
from promptci.monitor.histogram import bin_of

NOW = datetime(2026, 3, 9, 10, 20, tzinfo=UTC)
PROMPT = "order-extractor"


def spell(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def traffic(hours_ago: int, *, requests: int = 200, good: int = -1, **sums: int) -> TrafficRow:
    """Return one hour: 0 is the one that is not over yet; `good` is by default all of them.

    `sums` are errors, negative, unknown_cost, and cents (of all requests).
    """
    hour = NOW.replace(minute=0) - timedelta(hours=hours_ago)
    right = requests if good < 0 else good
    return TrafficRow(
        hour=spell(hour),
        prompt=PROMPT,
        version="v1.3.0",
        arm="stable",
        request_model="gpt-4o-mini",
        response_model="gpt-4o-mini-2024-07-18",
        requests=requests,
        errors={"429": sums["errors"]} if sums.get("errors") else {},
        judged=requests,
        quality_sum=right,
        quality_squares=right,
        negative=sums.get("negative", 0),
        positive=0,
        input_tokens=0,
        output_tokens=0,
        cost_usd=Decimal(sums.get("cents", 100)) / 100,
        unknown_cost=sums.get("unknown_cost", 0),
    )


def latency(days_ago: int, milliseconds: float, *, requests: int = 2000) -> LatencyRow:
    """Return one day: half of the requests at half the latency."""
    bins = {bin_of(milliseconds / 2): requests // 2, bin_of(milliseconds): requests - requests // 2}
    day = f"{NOW - timedelta(days=days_ago):%Y-%m-%d}"
    return LatencyRow(day=day, prompt=PROMPT, version="v1.3.0", arm="stable", bins=bins)


def monitor(
    rows: Iterable[TrafficRow],
    latencies: Iterable[LatencyRow] = (),
    *,
    made_at: datetime = NOW,
    newest: datetime | None = NOW,
) -> MonitorDocument:
    """Return a monitor.json; `newest` is the time of the newest request in the log."""
    moment = spell(newest) if newest else None
    coverage = CoverageRow(
        file="log.jsonl",
        format="promptci",
        bytes=1,
        lines=1,
        bad=0,
        late=0,
        other=0,
        unmatched=0,
        repeated=0,
        newest=moment,
    )
    return MonitorDocument(
        made_at=spell(made_at),
        engine="duckdb",
        period=MonitorPeriod(since=None, until=None, first=None, last=moment),
        files=["log.jsonl"],
        problems=[],
        traffic=list(rows),
        latency=list(latencies),
        models=[],
        failing=[],
        splits=[],
        coverage=[coverage],
    )
