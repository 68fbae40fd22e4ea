"""Years of nights put to the deciding code of drift: how often it alarms by chance, and how soon it finds a drop."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from promptci.drift.chart import ChartState, build_chart
from promptci.drift.reference import ReferenceDocument

Profile = Literal["flips", "rare"]
NIGHTS = 365


@dataclass(frozen=True, kw_only=True, slots=True)
class DriftSetting:
    """One prompt and its part of the alarm budget."""

    cases: int = 100
    discordance: float = 0.10
    profile: Profile = "flips"
    """`flips`: some cases are coin tosses, the others always pass. `rare`: every case fails now and then."""
    answers: int = 20
    """To each case, in the reference."""
    alarms_per_year: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class DriftShares:
    """What came of it."""

    alarms: float
    """A year."""
    error: float
    """Standard error of it."""


def chances(setting: DriftSetting) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Return the chance of each case to pass."""
    if setting.profile == "rare":
        return np.full(setting.cases, (1 + np.sqrt(1 - 2 * setting.discordance)) / 2)
    passing = np.ones(setting.cases)
    passing[: round(2 * setting.discordance * setting.cases)] = 0.5
    return passing


def simulate_alarms(setting: DriftSetting, *, series: int, seed: int) -> DriftShares:
    """Return the false alarms a year: each series has a reference of its own, and a year in which nothing changes."""
    rng = np.random.default_rng(seed)
    counts = [_count_alarms(setting, rng, NIGHTS) for _ in range(series)]
    return DriftShares(alarms=float(np.mean(counts)), error=float(np.std(counts) / np.sqrt(series)))


def simulate_delay(setting: DriftSetting, drop: float, *, series: int, seed: int, most: int = 80) -> float:
    """Return the mean number of nights until a drop is found: cases that passed fail for good."""
    rng = np.random.default_rng(seed)
    return float(np.mean([_find_delay(setting, rng, drop, most) for _ in range(series)]))


def _reference(setting: DriftSetting, rng: np.random.Generator) -> ReferenceDocument:
    passes = rng.binomial(setting.answers, chances(setting))
    cases = {f"c{place}": (float(k), float(setting.answers - k)) for place, k in enumerate(passes)}
    return ReferenceDocument.model_construct(answers=setting.answers, cases=cases, nights=("2026-03-01",))


def _count_alarms(setting: DriftSetting, rng: np.random.Generator, nights: int) -> int:
    """Count drifts that begin; each is closed by a reset, so that the next year of its series begins as new."""
    alarms, state = 0, ChartState()
    nightly = _Nightly(setting, rng, broken=0.0)
    for _ in range(nights):
        alarmed, state = nightly.watch(state)
        if alarmed:
            alarms, state = alarms + 1, ChartState()
    return alarms


def _find_delay(setting: DriftSetting, rng: np.random.Generator, drop: float, most: int) -> int:
    nightly, state = _Nightly(setting, rng, broken=drop), ChartState()
    for night in range(1, most + 1):
        alarmed, state = nightly.watch(state)
        if alarmed:
            return night
    return most


class _Nightly:
    """One prompt: its reference, its chart, and its nights."""

    def __init__(self, setting: DriftSetting, rng: np.random.Generator, broken: float) -> None:
        self._rng = rng
        self._passing = chances(setting)
        reference = _reference(setting, rng)
        weights = dict.fromkeys(reference.cases, 1.0)
        chart = build_chart(reference, weights, setting.alarms_per_year)
        assert chart is not None
        self._chart = chart
        self._names = list(reference.cases)
        lost = 0.0
        for place in rng.permutation(setting.cases):
            if lost + self._passing[place] <= broken * setting.cases + 1e-9:
                lost += self._passing[place]
                self._passing[place] = 0.0

    def watch(self, state: ChartState) -> "tuple[bool, ChartState]":
        """Ask one night, again where an alarm is due, and return whether there is one."""
        answers = self._ask()
        reading = self._chart.read(self._marks(answers), state)
        assert reading is not None
        if reading.alarm is not None and state.since is None:
            again = self._chart.read(self._marks((answers + self._ask()) / 2), state)
            assert again is not None
            reading = again
        after, _ = self._chart.advance(state, reading, "2026-03-02")
        return reading.alarm is not None, after

    def _ask(self) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        return (self._rng.random(len(self._passing)) < self._passing).astype(float)

    def _marks(self, answers: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> dict[str, float]:
        return dict(zip(self._names, answers.tolist(), strict=True))
