"""The one file that knows PyGithub: pages, waiting when asked to wait, and its errors in our words."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from promptci.publish.github import Comment, Forbidden, GitHubError, NotFound, State, TooLong, Unavailable
from promptci.publish.workflow import safe_line

LONGEST_LOSS_S = 120.0
"""Seconds that all failed calls and waits of one client may take together."""
TIMEOUT_S = 15
SECONDARY_WAIT_S = 60.0
"""GitHub asks for at least a minute where it names no time."""
BETWEEN_WRITES_S = 1.0
"""GitHub asks for a second between requests that write."""
MOST_PAGES = 300
PER_PAGE = 100
ACTIONS_BOT = "github-actions[bot]"

_LIMITED = ("rate limit", "abuse detection", "please retry your request", "please wait a few minutes")


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """Time as the client takes it; a test has its own."""

    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    """Seconds since 1970, to understand when a limit is lifted."""


class PyGithubClient:
    """One repository on GitHub, through PyGithub."""

    def __init__(self, token: str, repository: str, api_url: str, clock: Clock | None = None) -> None:
        """Prepare; nothing is sent yet."""
        import github  # noqa: PLC0415 - heavy: keeps --help fast

        self._clock = clock or Clock()
        self._repository = repository
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

    def viewer_login(self) -> str:
        """Give the token's login; the token of a workflow may not ask and is `github-actions[bot]`."""
        try:
            _, user = self._ask("GET", "/user")
        except Forbidden:
            return ACTIONS_BOT
        return str(_field(user, "login"))

    def comments(self, number: int) -> Iterator[Comment]:
        """Give every comment, page after page."""
        url = f"/repos/{self._repository}/issues/{number}/comments?per_page={PER_PAGE}"
        for _ in range(MOST_PAGES):
            headers, page = self._ask("GET", url)
            if not isinstance(page, list):
                raise Unavailable("GitHub gave no list of comments")
            yield from map(_comment, page)
            following = _next(headers)
            if following is None:
                return
            url = following
        raise Unavailable(f"The conversation has more than {MOST_PAGES * PER_PAGE} comments")

    def create_comment(self, number: int, body: str) -> Comment:
        """Add a comment."""
        return _comment(self._ask("POST", f"/repos/{self._repository}/issues/{number}/comments", {"body": body})[1])

    def update_comment(self, comment_id: int, body: str) -> Comment:
        """Replace a comment's text."""
        return _comment(
            self._ask("PATCH", f"/repos/{self._repository}/issues/comments/{comment_id}", {"body": body})[1]
        )

    def delete_comment(self, comment_id: int) -> None:
        """Take a comment away."""
        self._ask("DELETE", f"/repos/{self._repository}/issues/comments/{comment_id}")

    def set_status(self, sha: str, state: State, context: str, description: str, target_url: str) -> None:
        """Put a status beside a commit."""
        sent = {"state": state, "context": context, "description": description, "target_url": target_url}
        self._ask("POST", f"/repos/{self._repository}/statuses/{sha}", sent)

    def _ask(self, verb: str, url: str, sent: Mapping[str, str] | None = None) -> tuple[Mapping[str, Any], Any]:
        """Send a request until GitHub answers it, within the time that may be lost."""
        import github  # noqa: PLC0415 - heavy: keeps --help fast
        import requests  # noqa: PLC0415 - heavy: keeps --help fast

        attempt = 0
        while True:
            if verb != "GET":
                self._pace()
            started = self._clock.monotonic()
            try:
                return self._api.requester.requestJsonAndCheck(verb, url, input=sent and dict(sent))
            except github.GithubException as error:
                answer = _in_our_words(error)
                wait = _wait_s(error, attempt, self._clock.now())
            except (requests.RequestException, ValueError, AssertionError) as error:
                # AssertionError: PyGithub's way of refusing a next page on another host.
                answer = Unavailable(f"GitHub cannot be reached: {type(error).__name__}", "Look at githubstatus.com.")
                wait = _backoff_s(attempt) if isinstance(error, requests.RequestException) else None
            finally:
                self._last_write = self._clock.monotonic() if verb != "GET" else self._last_write
            self._lost_s += self._clock.monotonic() - started
            if wait is None or self._lost_s + wait > LONGEST_LOSS_S:
                raise answer
            self._lost_s += wait
            self._clock.sleep(wait)
            attempt += 1

    def _pace(self) -> None:
        if self._last_write is not None:
            early = self._last_write + BETWEEN_WRITES_S - self._clock.monotonic()
            if early > 0:
                self._clock.sleep(early)


def _wait_s(error: Any, attempt: int, now: float) -> float | None:
    """Give the seconds to wait before asking again; None where asking again is no use."""
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if error.status >= 500:
        return _backoff_s(attempt)
    if error.status not in {403, 429}:
        return None
    after = _number(headers.get("retry-after"))
    if after is not None:
        return max(after, 1.0)
    if headers.get("x-ratelimit-remaining") == "0":
        reset = _number(headers.get("x-ratelimit-reset"))
        return SECONDARY_WAIT_S if reset is None else max(reset - now + 1.0, 1.0)
    limited = error.status == 429 or any(sign in _message(error).lower() for sign in _LIMITED)
    return SECONDARY_WAIT_S * 2**attempt if limited else None


def _backoff_s(attempt: int) -> float:
    return 2.0**attempt


def _in_our_words(error: Any) -> GitHubError:
    """Turn GitHub's answer into one of four errors."""
    message = safe_line(_message(error))[:300] or "nothing"
    if error.status == 422 and "too long" in json.dumps(error.data).lower():
        return TooLong(message)
    if error.status in {404, 410}:
        return NotFound(message)
    limited = any(sign in message.lower() for sign in _LIMITED)
    if error.status in {401, 403} and not limited:
        return Forbidden(message)
    return Unavailable(f"GitHub answered {error.status}: {message}")


def _message(error: Any) -> str:
    return str(error.data.get("message", "")) if isinstance(error.data, dict) else ""


def _number(value: Any) -> float | None:
    """Read a header's whole number of seconds; None for a missing or senseless one."""
    text = str(value).strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _next(headers: Mapping[str, Any]) -> str | None:
    """Read the next page's address from the Link header."""
    from requests.utils import parse_header_links  # noqa: PLC0415 - heavy: keeps --help fast

    links = parse_header_links(str(headers.get("link") or ""))
    return next((link["url"] for link in links if link.get("rel") == "next"), None)


def _comment(item: Any) -> Comment:
    number, user = _field(item, "id"), item.get("user")
    if not isinstance(number, int):
        raise Unavailable("GitHub's answer has a comment without a number")
    return Comment(
        id=number,
        body=str(_field(item, "body") or ""),
        author=str(user.get("login") or "") if isinstance(user, dict) else "",
        url=str(_field(item, "html_url") or ""),
    )


def _field(item: Any, name: str) -> Any:
    if not isinstance(item, dict) or name not in item:
        raise Unavailable(f"GitHub's answer has no {name!r}")
    return item[name]
