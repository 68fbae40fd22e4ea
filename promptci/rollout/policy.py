"""What a canary must show before it gets more traffic, and what ends it."""

from promptci.lazy_dataclass import dataclass

QUALITY, ERRORS, LATENCY, COST, SIGNALS = METRICS = ("quality", "errors", "latency", "cost", "signals")


@dataclass(frozen=True, kw_only=True, slots=True)
class CanaryPolicy:
    """`steps` and `policy` of a deployment file."""

    steps: tuple[float, ...] = (5, 25, 50, 100)
    """Shares of traffic in percent, rising, the last of them 100."""
    alpha: float = 0.01
    """Chance that a canary that is no worse is rolled back, over all its steps, metrics and looks together."""
    promote_alpha: float = 0.05
    """Chance, at each step, that a canary that is worse by a limit or more goes on."""
    min_requests: int = 200
    """Marks of the canary that each metric needs at each step."""
    min_time_s: float = 24 * 3600.0
    max_time_s: float = 14 * 24 * 3600.0
    """A step that is undecided for longer is for a person to look at."""
    lag_s: float = 600.0
    """Requests younger than this are left for the next look: their lines or marks may not be there yet."""
    stale_s: float = 2 * 3600.0
    """An arm without a request for so long has no data."""
    per_user: bool = True
    """Count the first request of each user at each step, for a user's requests go alike; else count every request."""
    limits: tuple[tuple[str, float], ...] = ((QUALITY, 0.02), (ERRORS, 0.01), (LATENCY, 0.05), (COST, 0.25))
    """Metrics that are tested, each with what of a worsening is worth a rollback."""

    @property
    def alpha_each(self) -> float:
        """Return the part of `alpha` that each test of one metric at one step may spend (Bonferroni)."""
        compared = sum(step < 100 for step in self.steps)
        return self.alpha / max(1, compared * len(self.limits))

    def next_step(self, share: float) -> float:
        """Return the next step."""
        return min(step for step in self.steps if step > share)
