"""One request of the log, and what was found on the way to it."""

from dataclasses import dataclass, field
from datetime import datetime

from promptci.errors import Problem


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """One request that an application answered with a prompt."""

    id: str
    time: datetime
    """When it began; in UTC."""
    prompt: str
    version: str
    """As the deployment file names it."""
    arm: str
    """`stable` or `canary`."""
    share: float | None = None
    """The canary's share, in percent, by which the arm was chosen; None: not logged."""
    user: str | None = None
    """A hash of the user's key; None: the request stands for itself."""
    error: str | None = None
    """Kind of error; None: it was answered."""
    latency_ms: float | None = None
    cost_usd: float | None = None
    quality: float | None = None
    """0..1; None: not judged, or the judge failed."""
    signal: str | None = None
    """What the user let know: `positive` or `negative`; None: nothing."""
    model: str | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestLog:
    """What was read, in the order of time."""

    requests: tuple[Observation, ...] = ()
    files: int = 0
    lines: int = 0
    """That hold something."""
    invalid_lines: int = 0
    """Lines that could not be used."""
    repeated_lines: int = 0
    """Lines of a request that was there already."""
    problems: tuple[Problem, ...] = field(default=())
    """The first of the bad lines."""
