"""What a rule measured, as data."""

from typing import NamedTuple


class AlertFacts(NamedTuple):
    """A rule on one prompt, at one look."""

    kind: str
    metric: str
    limit: float
    value: float | None
    """Of `last-week` the change, of a burn rate the smaller of both factors; None: nothing was measured."""
    n: int
    """Requests, or hours, that were looked at."""
    over_s: float
    baseline: float | None = None
    """Of `last-week`: the value then. Of a burn rate: the objective."""
    now: float | None = None
    """Of `last-week`: the value now."""
    interval: tuple[float, float] | None = None


class DataFacts(NamedTuple):
    """Why nothing is known."""

    cause: str
    """`missing`, `empty`, `old-look`, `ahead`, `old-data`."""
    newest: str | None = None
    """Time of the look, or of the newest request."""
    age_s: float | None = None
    limit_s: float = 0
