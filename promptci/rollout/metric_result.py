"""MetricResult: what the scores of one metric show about a canary."""

import math
from datetime import datetime
from typing import NamedTuple

from promptci.lazy_dataclass import dataclass


class EvidencePoint(NamedTuple):
    """The evidence about one metric after a block of requests."""

    at: datetime
    control_n: int
    canary_n: int
    drop: float
    """The control's mean minus the canary's, up to here."""
    log_e_worse: float
    """Natural logarithm of the evidence that the canary is worse."""
    log_e_fine: float
    """Likewise, that it is not worse by the margin."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricResult:
    """One metric of a canary at its present step."""

    metric: str
    limit: float
    """As configured."""
    margin: float
    """The limit on the scale of the scores."""
    control_n: int = 0
    canary_n: int = 0
    control_mean: float | None = None
    """Of the scores, 1 being good; None: no scores."""
    canary_mean: float | None = None
    p_worse: float = 1.0
    """Valid at every evaluation; of `the canary is no worse than the control`."""
    p_within_limit: float = 1.0
    """Likewise, of `the canary is worse by the margin or more`."""
    alpha: float
    """What `p_worse` must not exceed for a rollback."""
    promote_alpha: float
    path: tuple[EvidencePoint, ...] = ()
    """How the evidence grew, oldest first."""

    @property
    def log_need_worse(self) -> float:
        """What `log_e_worse` must reach for a rollback."""
        return -math.log(self.alpha)

    @property
    def log_need_fine(self) -> float:
        """What `log_e_fine` must reach for a promotion."""
        return -math.log(self.promote_alpha)

    @property
    def drop(self) -> float | None:
        """The control's mean minus the canary's."""
        if self.control_mean is None or self.canary_mean is None:
            return None
        return self.control_mean - self.canary_mean

    @property
    def regressed(self) -> bool:
        """Whether it is shown worse, and by the margin as far as one can tell."""
        return self.drop is not None and self.p_worse <= self.alpha and self.drop >= self.margin - 1e-12

    @property
    def within_limit(self) -> bool:
        """Whether it is shown not to be worse by the margin."""
        return self.drop is not None and self.p_within_limit <= self.promote_alpha and self.drop < self.margin
