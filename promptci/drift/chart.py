"""Chart: one night beside a frozen reference. Sums of drops find small ones that last, a cliff test large ones."""

from collections.abc import Mapping
from typing import Literal

from promptci.drift.night import DriftVerdict
from promptci.drift.reference import ReferenceDocument
from promptci.lazy_dataclass import dataclass
from promptci.stats.control_charts import cusum
from promptci.stats.control_charts.cliff import find_cliff
from promptci.stats.control_charts.night_noise import estimate_noise

CLIFF_SHARE = 0.1
"""Of the alarm budget; the sum has the rest."""
FIRST_READINGS = 2.0
"""A first reading may be due so much more often than the budget: asked again, fewer than half of them remain."""
NIGHTS_TO_CLOSE = 3
"""Steady nights in a row after which a drift is over."""
Alarm = Literal["sum", "cliff"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ChartState:
    """What one night leaves to the next."""

    total: float = 0.0
    since: str | None = None
    """First night of the drift that is open."""
    steady: int = 0
    """Steady nights in a row."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """One night beside its reference."""

    quality: float
    expected: float
    total: float
    alarm: Alarm | None

    @property
    def drop(self) -> float:
        """Quality of the reference minus the night's."""
        return self.expected - self.quality


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """The limits that a reference and an alarm budget give."""

    means: Mapping[str, float]
    """Mean mark of each case in the reference."""
    weights: Mapping[str, float]
    limit: float | None
    """Of the sum; None while the reference is not whole."""
    cliff: float
    """Of one night's drop."""

    def read(self, marks: Mapping[str, float], state: ChartState) -> Reading | None:
        """Return a night's reading; None where no case of the reference has a mark.

        Each mark is compared with the mean of the same case, so a missing mark leaves the others comparable.
        """
        cases = [case for case in self.means if case in marks and self.weights.get(case, 0) > 0]
        total_weight = sum(self.weights[case] for case in cases)
        if not total_weight:
            return None
        quality = sum(self.weights[case] * marks[case] for case in cases) / total_weight
        expected = sum(self.weights[case] * self.means[case] for case in cases) / total_weight
        drop = expected - quality
        total = 0.0 if self.limit is None else cusum.step(state.total, drop)
        alarm: Alarm | None = "cliff" if drop > self.cliff else None
        if self.limit is not None and total > self.limit:
            alarm = "sum"
        return Reading(quality=quality, expected=expected, total=total, alarm=alarm)

    def advance(self, state: ChartState, reading: Reading, day: str) -> "tuple[ChartState, DriftVerdict]":
        """Return the state after a night, and the night's verdict.

        The sum stays near its limit while a drift is open, so that an end is seen as soon as a beginning. It restarts
        when the drift is over.
        """
        if reading.alarm is not None:
            ceiling = (self.limit or 0.0) + cusum.SLACK
            state = ChartState(total=min(reading.total, ceiling), since=state.since or day, steady=0)
            return state, DriftVerdict.DRIFT
        verdict = DriftVerdict.LEARNING if self.limit is None else DriftVerdict.STEADY
        steady = state.steady + 1
        if state.since is not None and steady >= NIGHTS_TO_CLOSE:
            return ChartState(steady=steady), verdict
        return ChartState(total=reading.total, since=state.since, steady=steady), verdict


def build_chart(reference: ReferenceDocument, weights: Mapping[str, float], alarms_per_year: float) -> Chart | None:
    """Return the chart of a reference, for so many false alarms a year of this prompt; None where no case is usable."""
    cases = reference.noise_cases(weights)
    if not cases:
        return None
    noise = estimate_noise(cases)
    budget = FIRST_READINGS * alarms_per_year
    limit = cusum.find_threshold(noise, (1 - CLIFF_SHARE) * budget) if reference.is_complete else None
    return Chart(
        means=reference.usable_cases(),
        weights=weights,
        limit=limit,
        cliff=find_cliff(noise, budget if limit is None else CLIFF_SHARE * budget),
    )
