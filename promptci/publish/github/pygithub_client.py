"""The one file that knows PyGithub: pages, waiting when asked to wait, and what GitHub answers in our nouns."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from promptci.lazy_import import lazy_import
from promptci.publish.github.api import (
    CheckRun,
    Comment,
    Forbidden,
    GitHub,
    PostedStatus,
    PullRequest,
    Remark,
    State,
    Unavailable,
)
from promptci.publish.github.rate_limits import Refusal, backoff_s
from promptci.publish.github.request_faults import Unreachable, describe_fault
from promptci.publish.runner.context import ActionContext

if TYPE_CHECKING:
    import github
    import requests
else:
    github = lazy_import("github")
    requests = lazy_import("requests")

LONGEST_LOSS_S = 120.0
"""Seconds that all failed calls and waits of one client may take together."""
TIMEOUT_S = 15
BETWEEN_WRITES_S = 1.0
"""GitHub asks for a second between requests that write."""
MOST_PAGES = 300
MOST_MOVES = 3
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


def connect(context: ActionContext) -> GitHub | None:
    """Return the repository of a run, as the run's token sees it; None where there is no token."""
    token = context.inputs["github-token"]
    return PyGithubClient(token, context.repository, context.api_url) if token else None


class PyGithubClient:
    """One repository on GitHub, through PyGithub."""

    def __init__(self, token: str, repository: str, api_url: str, clock: ClientClock | None = None) -> None:
        """Prepare; nothing is sent yet."""
        self._clock = clock or ClientClock()
        self._root = f"/repos/{repository}"
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

    def viewer_login(self) -> str | None:
        """Return the token's login; None for an app's token, such as a workflow's, which may not ask."""
        try:
            _, user = self._ask("GET", "/user")
        except Forbidden:
            return None
        return str(_get_field(user, "login"))

    def comments(self, number: int) -> Iterator[Comment]:
        """Yield every comment, page after page."""
        url = f"{self._root}/issues/{number}/comments?per_page={PER_PAGE}"
        for _ in range(MOST_PAGES):
            headers, page = self._ask("GET", url)
            if not isinstance(page, list):
                raise Unavailable("GitHub gave no list of comments")
            yield from map(_comment, page)
            following = _find_next_page(headers)
            if following is None:
                return
            url = following
        raise Unavailable(f"The conversation has more than {MOST_PAGES * PER_PAGE} comments")

    def create_comment(self, number: int, body: str) -> Comment:
        """Add a comment."""
        return _comment(self._ask("POST", f"{self._root}/issues/{number}/comments", {"body": body})[1])

    def update_comment(self, comment_id: int, body: str) -> Comment:
        """Replace a comment's text."""
        return _comment(self._ask("PATCH", f"{self._root}/issues/comments/{comment_id}", {"body": body})[1])

    def delete_comment(self, comment_id: int) -> None:
        """Take a comment away."""
        self._ask("DELETE", f"{self._root}/issues/comments/{comment_id}")

    def set_status(self, sha: str, state: State, context: str, description: str, target_url: str) -> None:
        """Put a status beside a commit; Unavailable where what answers is not GitHub, and so took nothing."""
        sent = {"state": state, "context": context, "description": description, "target_url": target_url}
        _, taken = self._ask("POST", f"{self._root}/statuses/{sha}", sent)
        if _get_field(taken, "state") != state:
            raise Unavailable("GitHub's answer is of another status")

    def statuses(self, sha: str, context: str) -> list[PostedStatus]:
        """Return the statuses of a commit with this context, newest first."""
        items = _check_list(self._ask("GET", f"{self._root}/commits/{sha}/statuses?per_page={PER_PAGE}")[1])
        return [
            PostedStatus(
                state=item["state"],
                description=str(item.get("description") or ""),
                target_url=str(item.get("target_url") or ""),
            )
            for item in items
            if item.get("context") == context and item.get("state") in {"success", "failure", "error", "pending"}
        ]

    def create_check_run(self, run: CheckRun, remarks: Sequence[Remark]) -> int:
        """Put a finished check run beside a commit; where the answer is lost, look whether it was made."""
        sent = {
            "name": run.name,
            "head_sha": run.sha,
            "status": "completed",
            "conclusion": run.conclusion,
            "external_id": run.external_id,
            "details_url": run.details_url,
            "output": _output(run, remarks),
        }
        _, created = self._ask("POST", f"{self._root}/check-runs", sent, lambda: self._find_created_run(run))
        return _get_number(created, "id")

    def add_remarks(self, check_run_id: int, run: CheckRun, remarks: Sequence[Remark], existing_count: int) -> None:
        """Add remarks; where the answer is lost, count whether they stand."""
        url = f"{self._root}/check-runs/{check_run_id}"

        def find_updated_run() -> Any:
            check_run = self._ask("GET", url)[1]
            count = _get_field(_get_field(check_run, "output"), "annotations_count")
            return check_run if isinstance(count, int) and count > existing_count else None

        self._ask("PATCH", url, {"output": _output(run, remarks)}, find_updated_run)

    def _find_created_run(self, run: CheckRun) -> Any:
        name = quote(run.name, safe="")
        url = f"{self._root}/commits/{run.sha}/check-runs?check_name={name}&per_page={PER_PAGE}"
        runs = _check_list(_get_field(self._ask("GET", url)[1], "check_runs"))
        return next((each for each in runs if each.get("external_id") == run.external_id), None)

    def pull(self, number: int) -> PullRequest:
        """Return a pull request."""
        return _pull(self._ask("GET", f"{self._root}/pulls/{number}")[1])

    def pulls_from(self, owner: str, branch: str) -> list[PullRequest]:
        """Return the pull requests from a branch; of more than a hundred the hundred touched last."""
        head = quote(f"{owner}:{branch}", safe="")
        order = f"state=all&sort=updated&direction=desc&per_page={PER_PAGE}"
        return [_pull(each) for each in _check_list(self._ask("GET", f"{self._root}/pulls?head={head}&{order}")[1])]

    def branch_sha(self, name: str) -> str:
        """Return the commit at which a branch stands."""
        _, ref = self._ask("GET", f"{self._root}/git/ref/heads/{quote(name, safe='/')}")
        return str(_get_field(_get_field(ref, "object"), "sha"))

    def _ask(
        self, verb: str, url: str, sent: Mapping[str, Any] | None = None, settled: Callable[[], Any] | None = None
    ) -> Answer:
        """Send a request until GitHub answers it, within the time that may be lost.

        `settled` is asked before it is sent again: what it gives, unless None, is the answer that was lost.
        """
        attempt = moves = 0
        while True:
            if verb != "GET":
                self._pace()
            started = self._clock.monotonic()
            answer = self._send(verb, url, sent)
            if verb != "GET":
                self._last_write = self._clock.monotonic()
            if not isinstance(answer, Refusal | Unavailable):
                return answer
            self._lost_s += self._clock.monotonic() - started
            if isinstance(answer, Refusal) and answer.leads_to and moves < MOST_MOVES:
                moves, url = moves + 1, answer.leads_to
                continue
            refusal = answer.in_our_words() if isinstance(answer, Refusal) else answer
            wait = (
                answer.wait_s(attempt, self._clock.now())
                if isinstance(answer, Refusal)
                else _get_loss_wait_s(answer, attempt)
            )
            if wait is None or self._lost_s + wait > LONGEST_LOSS_S:
                raise refusal
            self._lost_s += wait
            self._clock.sleep(wait)
            if settled is not None and (settled_answer := settled()) is not None:
                return {}, settled_answer
            attempt += 1

    def _send(
        self, verb: str, url: str, sent: Mapping[str, Any] | None
    ) -> "tuple[Mapping[str, Any], Any] | Refusal | Unavailable":
        """Send a request once."""
        if not url.startswith("/") and urlsplit(url).netloc != self._host:
            return Unavailable("GitHub's answer leads to another host, which is not followed")
        try:
            status, headers, text = self._api.requester.requestJson(verb, url, input=sent and dict(sent))
        except (requests.RequestException, ValueError, AssertionError, RuntimeError) as error:
            return describe_fault(error)
        whole, data = _parse_json(text)
        if status not in SUCCESS:
            return Refusal(status=status, headers=headers, data=data)
        return (headers, data) if whole else Unavailable("GitHub's answer is not JSON", "Is a proxy in between?")

    def _pace(self) -> None:
        if self._last_write is not None:
            early = self._last_write + BETWEEN_WRITES_S - self._clock.monotonic()
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


def _output(run: CheckRun, remarks: Sequence[Remark]) -> dict[str, Any]:
    return {"title": run.title, "summary": run.summary, "annotations": [dict(each) for each in remarks]}


def _find_next_page(headers: Mapping[str, Any]) -> str | None:
    """Read the next page's address from the Link header."""
    links = requests.utils.parse_header_links(str(headers.get("link") or ""))
    return next((link["url"] for link in links if link.get("rel") == "next"), None)


def _comment(item: Any) -> Comment:
    user = item.get("user") if isinstance(item, dict) else None
    return Comment(
        id=_get_number(item, "id"),
        body=str(_get_field(item, "body") or ""),
        author=str(user.get("login") or "") if isinstance(user, dict) else "",
        is_bot=isinstance(user, dict) and user.get("type") == "Bot",
        url=str(_get_field(item, "html_url") or ""),
    )


def _pull(item: Any) -> PullRequest:
    return PullRequest(number=_get_number(item, "number"), head_sha=str(_get_field(_get_field(item, "head"), "sha")))


def _get_number(item: Any, name: str) -> int:
    value = _get_field(item, name)
    if not isinstance(value, int):
        raise Unavailable(f"GitHub's answer has no number as {name!r}")
    return value


def _check_list(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Unavailable("GitHub gave no list")
    return value


def _get_field(item: Any, name: str) -> Any:
    if not isinstance(item, dict) or name not in item:
        raise Unavailable(f"GitHub's answer has no {name!r}")
    return item[name]
