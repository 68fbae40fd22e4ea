"""How far the clocks of the machines that write a log may be ahead of ours."""

from datetime import UTC, datetime, timedelta

MAX_CLOCK_SKEW = timedelta(minutes=5)
"""A later time cannot be true."""


def latest_time(now: datetime) -> datetime:
    """Return the latest time, in UTC, that a line of a log read at `now` can have."""
    return now.astimezone(UTC) + MAX_CLOCK_SKEW
