"""The chart of a prompt's nights in an issue."""

from typing import Any

from promptci.drift.night import DriftVerdict, NightLine
from promptci.present.night_chart import draw_nights


def night(day: int, quality: float | None, **values: Any) -> NightLine:
    return NightLine(
        at=f"2026-03-{day:02}T03:17:00Z",
        prompt="order",
        version="v1.0.0",
        fingerprint="f",
        goldens="g",
        judge="j",
        reference=None,
        model="fake-1",
        n=100,
        marks="",
        quality=quality,
        **values,
    )


def test_a_night_is_a_bar_a_number_and_a_verdict() -> None:
    lines = [
        night(1, 0.96, cusum=0.013, h=0.056, verdict=DriftVerdict.STEADY),
        night(2, None, cusum=0.013, verdict=DriftVerdict.OUTAGE),
        night(3, 0.82, cusum=0.153, h=0.056, verdict=DriftVerdict.DRIFT),
    ]
    assert draw_nights(lines).split("\n") == [
        "night       quality                           sum of drops / limit  verdict",
        "2026-03-01  ████████████████████████      96%        0.013 / 0.056  steady",
        "2026-03-02                            unknown                0.013  outage",
        "2026-03-03  ████████████████████▌         82%        0.153 / 0.056  drift",
    ]


def test_the_newest_twenty_nights_are_shown() -> None:
    rows = draw_nights([night(day, 1.0, verdict=DriftVerdict.STEADY) for day in range(1, 26)]).split("\n")
    assert (len(rows), rows[1][:10], rows[-1][:10]) == (21, "2026-03-06", "2026-03-25")
