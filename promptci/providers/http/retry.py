"""Retry errors that may pass, within limits; never retry a permanent error."""

import asyncio
import math
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from promptci.lazy_dataclass import dataclass
from promptci.lazy_import import lazy_import
from promptci.providers.base import NO_HOOKS, CallError, CallHooks, Completion
from promptci.providers.http.pacing.limiter import Limiter

if TYPE_CHECKING:
    from email import utils as email_utils
else:
    email_utils = lazy_import("email.utils")

Result = TypeVar("Result")


class RetryAdvice(Enum):
    """What another attempt is worth."""

    NEVER = "never"
    """The answer will be the same."""
    LATER = "later"
    """The endpoint is busy or broken: after a pause."""
    IMMEDIATELY = "at once"
    """The answer was garbled: no pause helps, another try may."""


class AttemptFailed(Exception):  # noqa: N818 - not an error of the program: one attempt among several
    """One attempt failed."""

    def __init__(
        self,
        error: CallError,
        *,
        advice: RetryAdvice = RetryAdvice.NEVER,
        retry_after_s: float | None = None,
        rate_limited: bool = False,
        signature: str | None = None,
    ) -> None:
        """Set up.

        `retry_after_s` is the pause the endpoint asks for, a floor; `rate_limited`: too many calls at once; failures of
        one call with equal `signature` are the same failure.
        """
        super().__init__(error.message)
        self.error = error
        self.advice = advice
        self.retry_after_s = retry_after_s
        self.rate_limited = rate_limited
        self.signature = signature
        self.billed_completion: Completion | None = None
        """What the endpoint counted for it all the same."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    """How long one call is tried."""

    max_attempts: int = 6
    max_total_s: float = 120.0
    """Attempts and pauses together; also the longest pause an endpoint may ask for."""
    max_immediate_retries: int = 2
    """How often a garbled answer is asked for again."""
    max_identical_failures: int = 3
    """So many equal failures are a fault of the request, not of the moment."""
    base_delay_s: float = 0.5
    max_delay_s: float = 8.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderClock:
    """Time and chance, so that a test can stand in for both."""

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    """Seconds since 1970, for dates in headers."""
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    uniform: Callable[[float, float], float] = random.uniform


@dataclass(kw_only=True, slots=True)
class _AttemptHistory:
    """The attempts and waits of one call so far."""

    spent_s: float = 0.0
    attempts: int = 0
    garbled: int = 0
    signatures: Counter[str] = field(default_factory=Counter)


async def with_retries(
    attempt: Callable[[float], Awaitable[Result]],
    *,
    limiter: Limiter,
    policy: RetryPolicy,
    clock: ProviderClock,
    hooks: CallHooks = NO_HOOKS,
    on_refusal: Callable[[AttemptFailed], None] = lambda _: None,
) -> Result:
    """Return the result of `attempt(seconds_left)`, retrying as often as `policy` allows.

    Time spent waiting for a turn at the limiter is not counted; `on_refusal` sees each call that came too often or
    is told to come later, and may change what another attempt is worth.

    Raises
    ------
    CallError
        Of the last attempt, saying how often was tried; or what `hooks` raises.
    """
    history = _AttemptHistory()
    while True:
        async with limiter.slot(hooks.before_attempt) as turn:
            before = clock.now()
            try:
                result = await attempt(policy.max_total_s - history.spent_s)
            except AttemptFailed as failure:
                failed = failure
                if failed.billed_completion is not None:
                    hooks.on_billed_failure(failed.billed_completion)
                if failed.rate_limited:
                    limiter.record_refusal(turn, failed.retry_after_s)
                    on_refusal(failed)
                else:
                    limiter.record_failure(turn)
                    if failed.retry_after_s:  # busy rather than broken, as with 503: waited for, and not for ever
                        on_refusal(failed)
            else:
                limiter.record_success(turn)
                return result
            history.spent_s += max(0.0, clock.now() - before)
        pause = _pause(failed, history, policy, clock)
        if pause is None:
            raise _final(failed.error, history) from None
        await clock.sleep(pause)
        history.spent_s += pause


def _pause(failed: AttemptFailed, history: _AttemptHistory, policy: RetryPolicy, clock: ProviderClock) -> float | None:
    """Return the seconds to wait before the next attempt, or None where there is to be none."""
    history.attempts += 1
    if failed.signature is not None:
        history.signatures[failed.signature] += 1
    if failed.advice is RetryAdvice.NEVER or history.attempts >= policy.max_attempts:
        return None
    if failed.signature is not None and history.signatures[failed.signature] >= policy.max_identical_failures:
        return None
    if failed.advice is RetryAdvice.IMMEDIATELY:
        history.garbled += 1
        return 0.0 if history.garbled <= policy.max_immediate_retries else None
    # Full jitter: calls that failed together do not come back together.
    widest = min(policy.max_delay_s, policy.base_delay_s * 2.0 ** (history.attempts - 1))
    pause = (failed.retry_after_s or 0.0) + clock.uniform(0.0, widest)
    return pause if history.spent_s + pause < policy.max_total_s else None


def _final(error: CallError, history: _AttemptHistory) -> CallError:
    if history.attempts == 1:
        return error
    tried = f" ({history.attempts} attempts in {history.spent_s:.0f} s)"
    return CallError(
        error.kind,
        error.message + tried,
        fatal=error.fatal,
        caused_by_request=error.caused_by_request,
        sent=error.sent,
    )


def parse_retry_after(headers: Mapping[str, str], wall: float) -> float | None:
    """Return the pause an endpoint asks for, in seconds; a past date or negative number asks for none: 0.

    Read are `retry-after-ms`, Azure's `x-ms-retry-after-ms`, then `Retry-After` as seconds or as HTTP date; nonsense
    gives None.
    """
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        in_ms = _number(headers.get(name))
        if in_ms is not None:
            return max(0.0, in_ms / 1000)
    text = headers.get("retry-after")
    in_s = _number(text)
    if in_s is not None:
        return max(0.0, in_s)
    try:
        return max(0.0, email_utils.parsedate_to_datetime(text or "").timestamp() - wall)
    except (ValueError, TypeError, OverflowError):
        return None


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None
