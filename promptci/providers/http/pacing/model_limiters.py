"""The limiters of one endpoint: one for each model."""

from collections.abc import Callable

from promptci.providers.http.pacing.limiter import Limiter
from promptci.providers.known_limits import LimitsFile


class ModelLimiters:
    """Creates the limiters, and keeps what they find out for later runs."""

    def __init__(self, create_limiter: Callable[[], Limiter]) -> None:
        """Start without any."""
        self.limits_file: LimitsFile | None = None
        """Keeps what was found out; None: it is forgotten."""
        self._create_limiter = create_limiter
        self._limiters: dict[str, Limiter] = {}
        self._connect_s: float | None = None
        """Seconds that the fastest connection took."""

    def get(self, model: str) -> Limiter:
        """Return the limiter of a model."""
        if model not in self._limiters:
            limiter = self._create_limiter()
            if self.limits_file is not None and (known := self.limits_file.load().get(model)):
                limiter.begin_with(known)
            if self._connect_s is not None:
                limiter.record_connection(self._connect_s)
            self._limiters[model] = limiter
        return self._limiters[model]

    def record_connection(self, connect_s: float) -> None:
        """Record that a connection to the endpoint was opened, in so many seconds."""
        self._connect_s = connect_s if self._connect_s is None else min(connect_s, self._connect_s)
        for limiter in self._limiters.values():
            limiter.record_connection(connect_s)

    def save(self) -> None:
        """Write what was found out, where it is kept."""
        if self.limits_file is not None:
            self.limits_file.save({model: limiter.known_limit() for model, limiter in self._limiters.items()})
