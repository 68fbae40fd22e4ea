"""A GitHub on loopback with one repository: comments, statuses and its ways of saying no. Real sockets, no patches."""

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from fakes import github_people
from fakes import github_words as words
from fakes.github_issues import Issues

REPOSITORY = "example/shop"
TOKEN = "ghs_" + "t" * 36
ACTIONS_BOT = "github-actions[bot]"
LONGEST_COMMENT = 65_536
LONGEST_DESCRIPTION = 140
MOST_STATUSES = 1_000
MOST_ANNOTATIONS = 50
LONGEST_SUMMARY = 65_535
OLD, NEW = f"/repos/{REPOSITORY}", "/repositories/4711"
"""The repository's address by name, and by number: there GitHub's links to further pages and its redirections lead."""
CREATED = 201
REFUSED = 400
"""The first status code that says no."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """An answer of GitHub."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None
    """SentCall as it is, in place of the body: not from GitHub but from something in between."""
    drop: bool = False
    """Close the connection without a word."""
    carried_out: bool = False
    """A fault that comes after the request was carried out: only its answer is lost."""
    through: bool = False
    """No fault at all: lets one request of its method pass."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """A request and its answer."""

    method: str
    path: str
    """Without the query and without the prefix of an enterprise server."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Any
    reply: Reply
    planted: bool = False
    """True where a test put this answer in GitHub's mouth."""


class GitHub:
    """Serves between `__enter__` and `__exit__`; what it was asked to do and does not know is in `unknown`."""

    def __init__(self, *, login: str = ACTIONS_BOT, prefix: str = "", may_ask_user: bool = False) -> None:
        self.login = login
        """Under which the token writes."""
        self.may_ask_user = may_ask_user
        """True for a person's token: a workflow's is refused by `GET /user`."""
        self.comments: dict[int, dict[str, Any]] = {}
        self.statuses: list[dict[str, Any]] = []
        self.check_runs: dict[int, dict[str, Any]] = {}
        """What was sent, with all `annotations` that were added, and `sha`."""
        self.branches: dict[str, str] = {}
        """Name to the commit at which it stands."""
        self.pulls: list[dict[str, Any]] = []
        """Each with `number`, `sha`, `owner` and `branch` of the head."""
        self.issues = Issues()
        self.people = github_people.People()
        self.renamed = False
        """True: the repository has another name now, and its old addresses lead to the new ones."""
        self.exchanges: list[Exchange] = []
        self.unknown: list[str] = []
        self.read_only = False
        self.locked = False
        self.longest_comment = LONGEST_COMMENT
        self.faults: list[tuple[str, Reply]] = []
        """Each is spent by the next request of its method (`*`: any), in order."""
        self.after: list[tuple[str, Callable[[], object]]] = []
        """Each is called after the next answer to its method: what others do in between."""
        self._prefix = prefix
        self._next_id = 1_000
        self._lock = threading.RLock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        """What GITHUB_API_URL would be."""
        return f"http://127.0.0.1:{self._server.server_port}{self._prefix}"

    @property
    def bodies(self) -> list[str]:
        """Texts of the comments that stand, the oldest first."""
        return [self.comments[number]["body"] for number in sorted(self.comments)]

    def count(self, method: str) -> int:
        """Return how often a method was used."""
        return sum(exchange.method == method for exchange in self.exchanges)

    def add_comment(self, body: str, author: str = "somebody", issue: int = 7) -> int:
        """Let `author` write a comment, and give its number."""
        with self._lock:
            self._next_id += 1
            written = words.comment(self.url, REPOSITORY, self._next_id, author, body, issue=issue)
            self.comments[self._next_id] = written
            return self._next_id

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def answer(self, method: str, target: str, headers: Mapping[str, str], raw: bytes) -> Reply:
        """Answer one request, and keep both."""
        url = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        with self._lock:
            body = json.loads(raw) if raw else None
            path = url.path.removeprefix(self._prefix) if url.path.startswith(self._prefix) else "outside the prefix"
            fault = self._fault(method)
            reply = fault or self._refusal(headers) or self._route(method, path, query, body)
            if fault and (fault.through or fault.carried_out):
                done = self._route(method, path, query, body)
                reply = done if fault.through else fault
            described = path.replace(NEW, OLD, 1)
            exchange = Exchange(
                method=method,
                path=described,
                query=query,
                headers=headers,
                body=body,
                reply=reply,
                planted=reply is fault or "Location" in reply.headers,
            )
            self.exchanges.append(exchange)
            for place, (when, act) in enumerate(self.after):
                if when == method:
                    del self.after[place]
                    act()
                    break
        return reply

    def _fault(self, method: str) -> Reply | None:
        for place, (when, reply) in enumerate(self.faults):
            if when in {method, "*"}:
                del self.faults[place]
                return reply
        return None

    def _refusal(self, headers: Mapping[str, str]) -> Reply | None:
        if headers.get("authorization") not in {f"token {TOKEN}", f"Bearer {TOKEN}"}:
            return no(401, "Bad credentials")
        return None

    def _route(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Reply:
        routes: tuple[tuple[str, str, Callable[..., Reply]], ...] = (
            ("GET", r"/user", self._user),
            ("GET", r"/repos/example/shop/issues/(\d+)/comments", self._list),
            ("POST", r"/repos/example/shop/issues/(\d+)/comments", self._create),
            ("PATCH", r"/repos/example/shop/issues/comments/(\d+)", self._update),
            ("DELETE", r"/repos/example/shop/issues/comments/(\d+)", self._delete),
            ("POST", r"/repos/example/shop/statuses/([0-9a-f]{40}|[0-9a-f]{64})", self._status),
            ("GET", r"/repos/example/shop/commits/([0-9a-f]{40}|[0-9a-f]{64})/statuses", self._statuses_of),
            ("POST", r"/repos/example/shop/check-runs", self._check_run),
            ("PATCH", r"/repos/example/shop/check-runs/(\d+)", self._more_annotations),
            ("GET", r"/repos/example/shop/check-runs/(\d+)", self._one_check_run),
            ("GET", r"/repos/example/shop/commits/([0-9a-f]{40}|[0-9a-f]{64})/check-runs", self._check_runs_of),
            ("GET", r"/repos/example/shop/pulls/(\d+)", self._pull),
            ("GET", r"/repos/example/shop/pulls", self._pulls),
            ("GET", r"/repos/example/shop/git/ref/heads/(.+)", self._branch),
            ("GET", r"/repos/example/shop/issues", self._issues),
            ("POST", r"/repos/example/shop/issues", self._open_issue),
            ("PATCH", r"/repos/example/shop/issues/(\d+)", self._change_issue),
        )
        if self.renamed and path.startswith(OLD):
            moved = {"Location": f"{self.url}{NEW}{path.removeprefix(OLD)}"}
            body = {
                "message": "Moved Permanently",
                "url": moved["Location"],
                "documentation_url": "https://docs.github.com",
            }
            return Reply(status=301 if method == "GET" else 307, body=body, headers=moved)
        path = path.replace(NEW, OLD, 1)
        for verb, pattern, act in routes:
            match = re.fullmatch(pattern, path)
            if verb == method and match:
                refused = self._may_not_write() if method != "GET" else None
                return refused or act(*match.groups(), query=query, body=body)
        for pattern, tell in github_people.routes(self.people, self._page, lambda s, b: Reply(status=s, body=b)):
            match = re.fullmatch(pattern, path)
            if method == "GET" and match:
                reply: Reply = tell(*match.groups(), query=query)
                return reply
        self.unknown.append(f"{method} {path}")
        return no(404, "Not Found")

    def _may_not_write(self) -> Reply | None:
        return no(403, "Resource not accessible by integration") if self.read_only else None

    def _user(self, *, query: Mapping[str, str], body: Any) -> Reply:
        if not self.may_ask_user:
            return no(403, "Resource not accessible by integration")
        return Reply(body=words.user(self.login, private=True))

    def _list(self, number: str, *, query: Mapping[str, str], body: Any) -> Reply:
        of_issue = [key for key in sorted(self.comments) if self.comments[key]["issue_url"].endswith(f"/{number}")]
        return self._page(f"/issues/{number}/comments", [self.comments[key] for key in of_issue], query)

    def _page(self, path: str, every: list[dict[str, Any]], query: Mapping[str, str]) -> Reply:
        size, page = min(int(query.get("per_page", 30)), 100), int(query.get("page", 1))
        last = max(-(-len(every) // size), 1)
        kept = "".join(f"{name}={value}&" for name, value in query.items() if name != "page")
        base = f"{self.url}{NEW}{path}?{kept}page="
        links = [f'<{base}{page + 1}>; rel="next"', f'<{base}{last}>; rel="last"'] if page < last else []
        links += [f'<{base}{page - 1}>; rel="prev"', f'<{base}1>; rel="first"'] if page > 1 else []
        headers = {"Link": ", ".join(links)} if links else {}
        return Reply(body=every[(page - 1) * size : page * size], headers=headers)

    def _create(self, number: str, *, query: Mapping[str, str], body: Any) -> Reply:
        refused = self._refused_text(body["body"])
        if refused is None:
            refused = Reply(status=CREATED, body=self.comments[self.add_comment(body["body"], self.login, int(number))])
        return refused

    def _update(self, number: str, *, query: Mapping[str, str], body: Any) -> Reply:
        existing = self.comments.get(int(number))
        if existing is None:
            return no(404, "Not Found")
        if existing["user"]["login"] != self.login:
            return no(403, "Resource not accessible by integration")
        refused = self._refused_text(body["body"])
        if refused is None:
            existing["body"] = body["body"]
        return refused or Reply(body=existing)

    def _delete(self, number: str, *, query: Mapping[str, str], body: Any) -> Reply:
        return Reply(status=204) if self.comments.pop(int(number), None) else no(404, "Not Found")

    def _status(self, sha: str, *, query: Mapping[str, str], body: Any) -> Reply:
        same = [s for s in self.statuses if (s["sha"], s["context"]) == (sha, body.get("context", "default"))]
        if len(body.get("description") or "") > LONGEST_DESCRIPTION:
            return words_refused("description is too long (maximum is 140 characters)", "Status")
        if len(same) >= MOST_STATUSES:
            return words_refused("This SHA and context has reached the maximum number of statuses.", "Status")
        self._next_id += 1
        self.statuses.append({"sha": sha, **body})
        return Reply(status=CREATED, body=words.status(self.url, REPOSITORY, self._next_id, sha, body))

    def _statuses_of(self, sha: str, *, query: Mapping[str, str], body: Any) -> Reply:
        of_commit = [(number, sent) for number, sent in enumerate(self.statuses) if sent["sha"] == sha]
        size = min(int(query.get("per_page", 30)), 100)
        listed = [words.status(self.url, REPOSITORY, number, sha, sent) for number, sent in reversed(of_commit)]
        return Reply(body=listed[:size])

    def _check_run(self, *, query: Mapping[str, str], body: Any) -> Reply:
        refused = _too_many(body)
        if refused is None:
            self._next_id += 1
            annotations = list(body["output"]["annotations"])
            self.check_runs[self._next_id] = {**body, "sha": body["head_sha"], "annotations": annotations}
        return refused or self._shown(self._next_id, CREATED)

    def _more_annotations(self, number: str, *, query: Mapping[str, str], body: Any) -> Reply:
        refused = _too_many(body)
        if refused is None:
            self.check_runs[int(number)]["annotations"] += body["output"]["annotations"]
        return refused or self._shown(int(number))

    def _one_check_run(self, number: str, *, query: Mapping[str, str], body: Any) -> Reply:
        return self._shown(int(number))

    def _check_runs_of(self, sha: str, *, query: Mapping[str, str], body: Any) -> Reply:
        same = [
            number
            for number, run in self.check_runs.items()
            if (run["sha"], run["name"]) == (sha, query.get("check_name", run["name"]))
        ]
        return Reply(body={"total_count": len(same), "check_runs": [self._shown(number).body for number in same]})

    def _shown(self, number: int, status: int = 200) -> Reply:
        return Reply(status=status, body=words.check_run(self.url, REPOSITORY, number, self.check_runs[number]))

    def _pull(self, number: str, *, query: Mapping[str, str], body: Any) -> Reply:
        pulls = [pull for pull in self.pulls if pull["number"] == int(number)]
        return Reply(body=words.pull(self.url, REPOSITORY, pulls[0], whole=True)) if pulls else no(404, "Not Found")

    def _pulls(self, *, query: Mapping[str, str], body: Any) -> Reply:
        expected = query.get("head")
        pulls = [pull for pull in self.pulls if expected in (None, f"{pull['owner']}:{pull['branch']}")]
        return Reply(body=[words.pull(self.url, REPOSITORY, pull) for pull in pulls])

    def _branch(self, name: str, *, query: Mapping[str, str], body: Any) -> Reply:
        sha = self.branches.get(unquote(name))
        return Reply(body=words.ref(self.url, REPOSITORY, unquote(name), sha)) if sha else no(404, "Not Found")

    def _issues(self, *, query: Mapping[str, str], body: Any) -> Reply:
        known = self.issues.listed(query.get("state", "open"), self.pulls)
        listed = [words.issue(self.url, REPOSITORY, each) for each in known]
        return self._page("/issues", listed if query.get("direction") == "asc" else listed[::-1], query)

    def _open_issue(self, *, query: Mapping[str, str], body: Any) -> Reply:
        if not self.issues.switched_on:
            return no(410, "Issues has been disabled in this repository.")
        refused = self.issues.refusal(body)
        if refused is not None:
            return words_refused(refused, "Issue")
        number = self.issues.add(body["title"], body.get("body", ""), self.login, tuple(body.get("labels", ())))
        return Reply(status=CREATED, body=words.issue(self.url, REPOSITORY, self.issues.by_number[number]))

    def _change_issue(self, number: str, *, query: Mapping[str, str], body: Any) -> Reply:
        known = self.issues.by_number.get(int(number))
        if known is None:
            return no(404, "Not Found")
        if known.author != self.login and known.author.endswith("[bot]"):
            return no(403, "Resource not accessible by integration")
        refused = self.issues.refusal(body)
        if refused is not None:
            return words_refused(refused, "Issue")
        known.change(body)
        return Reply(body=words.issue(self.url, REPOSITORY, known))

    def _refused_text(self, text: str) -> Reply | None:
        if self.locked:
            return no(403, "Unable to create comment because issue is locked.")
        if len(text) > self.longest_comment:
            return words_refused("Body is too long (maximum is 65536 characters)", "IssueComment")
        return None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                reply = fake.answer(self.command, self.path, headers, raw)
                self.close_connection = True
                if reply.drop:
                    return
                content = b"" if reply.body is None else json.dumps(reply.body).encode()
                content = content if reply.text is None else reply.text.encode()
                self.send_response(reply.status)
                for name, value in {"Content-Type": "application/json; charset=utf-8", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = handle_any  # noqa: N815 - the names http.server calls

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
                """Keep quiet."""

        return Handler


def _too_many(body: Any) -> Reply | None:
    """Refuse more annotations than a request may carry, and a text that is too long."""
    if len(body["output"]["annotations"]) > MOST_ANNOTATIONS:
        return words_refused("Only 50 annotations are allowed", "CheckAnnotation")
    if len(body["output"]["summary"]) > LONGEST_SUMMARY:
        return words_refused("Only 65535 characters are allowed", "CheckRun")
    return None


def no(status: int, message: str, **headers: str) -> Reply:
    """Return a refusal as GitHub words it; `retry_after="3"` becomes the header `retry-after: 3`."""
    body = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
    return Reply(status=status, body=body, headers={name.replace("_", "-"): text for name, text in headers.items()})


def words_refused(message: str, resource: str) -> Reply:
    """Return GitHub's refusal of a text."""
    error = {"resource": resource, "code": "unprocessable", "field": "data", "message": message}
    body = {
        "message": "Validation AttemptFailed",
        "errors": [error],
        "documentation_url": "https://docs.github.com/rest",
    }
    return Reply(status=422, body=body)


SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
PRIMARY = "API rate limit exceeded for installation ID 1."
