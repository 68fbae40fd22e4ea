"""The one file that knows PyGithub: sends requests, paces writes, waits and retries, and follows pages."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from promptci.lazy_dataclass import dataclass
from promptci.lazy_import import lazy_import
from promptci.publish.github.api import Unavailable
from promptci.publish.github.rate_limits import Refusal, backoff_s
from promptci.publish.github.request_faults import Unreachable, describe_fault

if TYPE_CHECKING:
    import github
    import requests
else:
    github = lazy_import("github")
    requests = lazy_import("requests")

MAX_LOST_S = 120.0
"""Seconds that all failed calls and waits of one client may take together."""
TIMEOUT_S = 15
WRITE_INTERVAL_S = 1.0
"""GitHub asks for a second between requests that write."""
MAX_PAGES = 300
MAX_REDIRECTS = 3
PER_PAGE = 100
SUCCESS = range(200, 300)
Answer = tuple[Mapping[str, Any], Any]
"""Headers, their names in lower case, and what the JSON holds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientClock:
    """Time as the client takes it; a test has its own."""

    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    """Seconds since 1970, to understand when a limit is lifted."""


class GithubSession:
    """Requests to one GitHub server: one at a time, repeated within the time that may be lost."""

    def __init__(self, token: str, api_url: str, clock: ClientClock) -> None:
        """Prepare; nothing is sent yet."""
        self._clock = clock
        self._host = urlsplit(api_url).netloc
        self._lost_s = 0.0
        self._last_write: float | None = None
        self._api = github.Github(
            auth=github.Auth.Token(token),
            base_url=api_url,
            timeout=TIMEOUT_S,
            user_agent="promptci",
            per_page=PER_PAGE,
            # Waiting is ours: PyGithub's own waits know no bound over all calls, and pause unseen by a test's clock.
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
        )

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def pages(self, url: str) -> Iterator[Any]:
        """Yield the content of a list's pages; the first has the address `url`."""
        for _ in range(MAX_PAGES):
            headers, page = self._request("GET", url)
            yield page
            following = _find_next_page(headers)
            if following is None:
                return
            url = following
        raise Unavailable(f"The conversation has more than {MAX_PAGES * PER_PAGE} comments")

    def request(
        self,
        verb: str,
        url: str,
        body: Mapping[str, Any] | None = None,
        find_lost: Callable[[], Any] | None = None,
    ) -> Any:
        """Send a request until GitHub answers it, within the time that may be lost; return what its JSON holds.

        `find_lost` is called before the request is sent again: what it returns, unless None, is the answer that was
        lost on the way.
        """
        return self._request(verb, url, body, find_lost)[1]

    def _request(
        self,
        verb: str,
        url: str,
        body: Mapping[str, Any] | None = None,
        find_lost: Callable[[], Any] | None = None,
    ) -> Answer:
        attempt = redirects = 0
        while True:
            if verb != "GET":
                self._pace()
            started = self._clock.monotonic()
            answer = self._send(verb, url, body)
            if verb != "GET":
                self._last_write = self._clock.monotonic()
            if not isinstance(answer, Refusal | Unavailable):
                return answer
            self._lost_s += self._clock.monotonic() - started
            if isinstance(answer, Refusal) and answer.redirect_url and redirects < MAX_REDIRECTS:
                redirects, url = redirects + 1, answer.redirect_url
                continue
            refusal = answer.to_error() if isinstance(answer, Refusal) else answer
            wait = (
                answer.wait_s(attempt, self._clock.now())
                if isinstance(answer, Refusal)
                else _get_loss_wait_s(answer, attempt)
            )
            if wait is None or self._lost_s + wait > MAX_LOST_S:
                raise refusal
            self._lost_s += wait
            self._clock.sleep(wait)
            if find_lost is not None and (lost_answer := find_lost()) is not None:
                return {}, lost_answer
            attempt += 1

    def _send(
        self, verb: str, url: str, body: Mapping[str, Any] | None
    ) -> "tuple[Mapping[str, Any], Any] | Refusal | Unavailable":
        """Send a request once."""
        if not url.startswith("/") and urlsplit(url).netloc != self._host:
            return Unavailable("GitHub's answer leads to another host, which is not followed")
        try:
            status, headers, text = self._api.requester.requestJson(verb, url, input=body and dict(body))
        except (requests.RequestException, ValueError, AssertionError, RuntimeError) as error:
            return describe_fault(error)
        whole, data = _parse_json(text)
        if status not in SUCCESS:
            return Refusal(status=status, headers=headers, data=data)
        return (headers, data) if whole else Unavailable("GitHub's answer is not JSON", "Is a proxy in between?")

    def _pace(self) -> None:
        if self._last_write is not None:
            early = self._last_write + WRITE_INTERVAL_S - self._clock.monotonic()
            if early > 0:
                self._clock.sleep(early)


def _get_loss_wait_s(answer: Unavailable, attempt: int) -> float | None:
    return backoff_s(attempt) if isinstance(answer, Unreachable) else None


def _parse_json(text: Any) -> tuple[bool, Any]:
    """Read GitHub's JSON, and tell whether it was any; an empty answer is whole."""
    try:
        return True, json.loads(text) if text else None
    except (ValueError, RecursionError):
        return False, None


def _find_next_page(headers: Mapping[str, Any]) -> str | None:
    """Read the next page's address from the Link header."""
    links = requests.utils.parse_header_links(str(headers.get("link") or ""))
    return next((link["url"] for link in links if link.get("rel") == "next"), None)
