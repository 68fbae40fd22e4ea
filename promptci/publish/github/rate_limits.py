"""GitHub's error responses: how long to wait before a retry, and the errors to raise."""

import json
from collections.abc import Mapping
from typing import Any

from promptci.lazy_dataclass import dataclass
from promptci.publish.github.api import Forbidden, GitHubError, NotFound, TooLong, Unavailable
from promptci.publish.runner.workflow_commands import safe_line

SECONDARY_WAIT_S = 60.0
"""GitHub asks for at least a minute if it names no time."""
SERVER_FAULT = 500
MOVED = (301, 307, 308)
"""A renamed repository's old address redirects to the new one."""

_LIMITED = ("rate limit", "abuse detection", "please retry your request", "please wait a few minutes")


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A response that is not a success."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    data: Any

    @property
    def message(self) -> str:
        """GitHub's message."""
        return str(self.data.get("message", "")) if isinstance(self.data, dict) else ""

    @property
    def is_limit(self) -> bool:
        """Whether the message is about a temporary limit."""
        return any(sign in self.message.lower() for sign in _LIMITED)

    @property
    def redirect_url(self) -> str | None:
        """Return the address of a redirect; None for any other response."""
        return self.headers.get("location") if self.status in MOVED else None

    def wait_s(self, attempt: int, now: float) -> float | None:
        """Return the seconds to wait before a retry; None if a retry is useless."""
        if self.status >= SERVER_FAULT:
            return backoff_s(attempt)
        if self.status not in {403, 429}:
            return None
        after = number(self.headers.get("retry-after"))
        if after is not None:
            return max(after, 1.0)
        if self.headers.get("x-ratelimit-remaining") == "0":
            reset = number(self.headers.get("x-ratelimit-reset"))
            return SECONDARY_WAIT_S if reset is None else max(reset - now + 1.0, 1.0)
        return SECONDARY_WAIT_S * 2**attempt if self.status == 429 or self.is_limit else None

    def to_error(self) -> GitHubError:
        """Return one of four errors."""
        message = safe_line(self.message)[:300] or "nothing"
        if self.status == 422 and "too long" in json.dumps(self.data).lower():
            return TooLong(message)
        if self.status in {404, 410}:
            return NotFound(message)
        if self.status in {401, 403} and not self.is_limit:
            return Forbidden(message)
        return Unavailable(f"GitHub answered {self.status}: {message}")


def backoff_s(attempt: int) -> float:
    """Return the seconds to wait after the attempt if the response names no time."""
    return 2.0**attempt


def number(value: Any) -> float | None:
    """Parse a header's whole number of seconds; None for a missing or invalid one."""
    text = str(value).strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
