"""GatePolicy: requirements that a prompt change must meet. Section `gate` of promptci.yml."""

from dataclasses import dataclass
from enum import StrEnum


class GateMode(StrEnum):
    """Whether the gate may block."""

    BLOCK = "block"
    ADVISE = "advise"


class OnInconclusive(StrEnum):
    """Whether `inconclusive` blocks the merge."""

    WARN = "warn"
    BLOCK = "block"


class OnMissingGoldens(StrEnum):
    """Verdict for a prompt without goldens."""

    ERROR = "error"
    WARN = "warn"
    """`inconclusive`."""


class About(StrEnum):
    """What a verdict is about."""

    GOLDENS = "goldens"
    """These very cases: the golden set is a test suite."""
    INPUTS = "inputs"
    """Inputs like them: the golden set is a sample of what users send."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GatePolicy:
    """Thresholds of the gate; all rates are shares from 0 to 1."""

    mode: GateMode = GateMode.BLOCK
    about: About = About.GOLDENS
    max_drop: float = 0.05
    """Points of quality worth blocking for: the margin."""
    alpha: float = 0.05
    """How often a change that changes nothing may be blocked, by all rules together."""
    on_inconclusive: OnInconclusive = OnInconclusive.WARN
    on_missing_goldens: OnMissingGoldens = OnMissingGoldens.ERROR
    min_quality: float | None = None
    """Quality that head must reach over all of its cases."""
    max_cost_increase: float | None = 0.25
    max_p95_increase: float | None = 0.30
    max_error_rate: float = 0.05
    """Share of answers that may be missing before nothing can be concluded."""
