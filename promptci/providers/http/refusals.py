"""Notice a model of which every call is refused (HTTP 429, or 503 with a pause): report the wait, and end it."""

from collections.abc import Callable

from promptci.providers.base import CallError
from promptci.providers.http.pacing.limiter import Limiter
from promptci.providers.http.retry import AttemptFailed, ProviderClock, RetryAdvice

MAX_REFUSED_S = 120.0
"""Stop if no call was answered for so long; a pause that ends later is not waited for."""
MAX_REFUSED_WITHOUT_PAUSE_S = 75.0
"""The same where no call was ever answered and no pause is named: one-minute windows have passed."""
NOTICE_AFTER_S, NOTICE_EVERY_S = 10.0, 30.0
"""A wait so long is reported, and reported again."""


class RefusalWatch:
    """Distinguishes a rate limit that passes from one that does not, such as a day's; one for each model."""

    def __init__(self, limiter: Limiter, clock: ProviderClock) -> None:
        self._limiter = limiter
        self._clock = clock
        self._was_answered = False
        self._first_refusal: float | None = None
        """When the first call was refused since the last answer."""
        self._next_notice = float("-inf")

    def record_answer(self) -> None:
        """Record that a call was answered, so that refusals count from the start again."""
        self._was_answered = True
        self._first_refusal = None

    def record_refusal(self, failed: AttemptFailed, notify: Callable[[str], None]) -> None:
        """Report a long wait, and make a refusal final where waiting is hopeless.

        To be called while the refused call still has its place at the limiter. As long as another call is on its way,
        the endpoint may be at work for us, however long that takes.
        """
        now = self._clock.now()
        self._first_refusal = now if self._first_refusal is None else self._first_refusal
        refused_s = now - self._first_refusal
        wait_s = max(failed.retry_after_s or 0.0, self._limiter.rate_estimator.seconds_to_wait(now))
        if self._limiter.in_flight > 1 or failed.advice is RetryAdvice.NEVER:
            return
        names_pause = failed.retry_after_s is not None or self._was_answered
        limit_s = MAX_REFUSED_S if names_pause else MAX_REFUSED_WITHOUT_PAUSE_S
        if refused_s >= limit_s or (names_pause and refused_s and refused_s + wait_s > limit_s):
            cause = "a daily limit or the billing may be the cause" if failed.rate_limited else "the endpoint is down"
            hint = f"Every call was refused for {refused_s:.0f} s: {cause}"
            failed.error = CallError(failed.error.kind, f"{failed.error.message}. {hint}", fatal=True)
            failed.advice = RetryAdvice.NEVER
        elif refused_s + wait_s >= NOTICE_AFTER_S and now >= self._next_notice:
            self._next_notice = now + NOTICE_EVERY_S
            notify(
                f"{failed.error.message}. No answer for {refused_s:.0f} s; next attempt in {wait_s:.0f} s;"
                f" given up after {limit_s:.0f} s without an answer"
            )
