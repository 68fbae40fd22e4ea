"""One request of the log, and a mark that came later."""

from datetime import datetime

from promptci.lazy_dataclass import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """One request that an application answered with a prompt."""

    id: str
    time: datetime
    """When it began; in UTC."""
    prompt: str
    version: str
    """As the deployment file names it, or its short name."""
    arm: str | None
    """`stable` or `canary`; None: not logged, and to be computed from the key."""
    share: float | None = None
    """The canary's share, in percent, by which the arm was chosen; None: not logged."""
    user: str | None = None
    """A hash of the user's key; None: the request stands for itself."""
    key: str | None = None
    """The user's key itself, by which the arm can be computed again; None: not logged."""
    error: str | None = None
    """Kind of error; None: it was answered."""
    latency_ms: float | None = None
    cost_usd: float | None = None
    quality: float | None = None
    """0..1; None: not judged, or the judge failed."""
    scored: datetime | None = None
    """When the quality became known, where that was after the request; in UTC."""
    signal: str | None = None
    """What the user let know: `positive` or `negative`; None: nothing."""
    signalled: datetime | None = None
    """When the signal came, where that was after the request; in UTC."""
    model: str | None = None
    response_model: str | None = None
    """The model that answered, as the provider names it."""
    output_tokens: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LateMark:
    """What became known of a request later."""

    id: str
    time: datetime
    """When it became known; in UTC."""
    quality: float | None = None
    signal: str | None = None
    cost_usd: float | None = None
