"""What each rule of the canary measured, as data."""

from datetime import datetime
from typing import NamedTuple


class NewCanary(NamedTuple):
    """A canary that was not seen before."""

    first_step: float
    share: float
    """In the deployment file."""


class RollbackFacts(NamedTuple):
    """A canary that was rolled back at an earlier evaluation."""

    at: datetime
    reason: str


class ShareFacts(NamedTuple):
    """A share that a person changed."""

    share: float
    step: float
    """The share that the canary has earned."""


class NoRequests(NamedTuple):
    """An arm without requests, or without recent ones."""

    arm: str
    newest: datetime | None
    since: datetime
    counted_from: datetime | None = None
    """When the first requests can count, as `lag` holds them back; None: they count already."""


class MetricName(NamedTuple):
    """A metric of which an arm has no values."""

    metric: str


class CountedUsers(NamedTuple):
    """Users in both arms, or requests of an arm that are missing from the log (sample-ratio mismatch)."""

    users: int
    total: int
    share: float
    """Of the canary as configured, in percent."""
    p: float


class CountedArms(NamedTuple):
    """Requests that are in another arm than the hash of their key gives."""

    wrong: int
    keyed: int


class ModelFacts(NamedTuple):
    """Models that answered, where both arms asked for the same one."""

    canary: tuple[str, ...]
    stable: tuple[str, ...]
    p: float


class UnscoredFacts(NamedTuple):
    """The arms do not have the same share of answers with a quality score."""

    canary_unscored: int
    canary: int
    stable_unscored: int
    stable: int
    p: float


class OutageFacts(NamedTuple):
    """The stable version fails, too."""

    failing: float


class TimeFacts(NamedTuple):
    """How long a step has taken, against its limit."""

    elapsed_s: float
    limit_s: float


class ForecastFacts(NamedTuple):
    """When this step can be decided."""

    users_per_day: float
    """New users of the canary."""
    days: float | None
    """Until every metric is shown to be within its limit; None where that is not in sight."""
    remaining_days: float
    """Until the step's `max_time` is over."""
    reachable: float | None = None
    """Users that the canary can have at this share, where they are too few; None: there are enough."""
    per_user: bool = True
    earliest: bool = False
    """Whether `days` are only those until each metric has its least number of users."""


class MetricFacts(NamedTuple):
    """One metric of both arms."""

    metric: str
    limit: float
    control: float | None
    """Mean score, 1 being good; None: no scores."""
    canary: float | None
    control_n: int
    canary_n: int
    p_worse: float
    alpha: float
    min_requests: int
    per_user: bool
