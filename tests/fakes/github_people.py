"""What people do about the fake GitHub's pull request: labels, reviews, permissions, teams, pushes."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from fakes import github_words as words

API = "https://api.github.com"


def account(login: str | None, number: int | None = None) -> dict[str, Any] | None:
    """Return an account, with a number of its own; None for one that was deleted."""
    return None if login is None else {**words.user(login), "id": number_of(login) if number is None else number}


def number_of(login: str) -> int:
    """Return the number of the account that first had this login."""
    return 1_000 + zlib.crc32(login.encode())


def minute(at: int) -> str:
    """Return a time: so many minutes after nine."""
    return f"2026-11-02T{9 + at // 60:02}:{at % 60:02}:00Z"


@dataclass
class People:
    """Times are minutes after nine; a login of None is a deleted account."""

    roles: dict[str, str] = field(default_factory=dict)
    """Login to role; others may read."""
    numbers: dict[str, int] = field(default_factory=dict)
    """Numbers of accounts whose login had another owner before."""
    teams: dict[str, set[str]] = field(default_factory=dict)
    """`organization/team` to logins of its members; None of a team may be seen where `hides_teams`."""
    hides_teams: bool = False
    events: list[dict[str, Any]] = field(default_factory=list)
    reviews: list[dict[str, Any]] = field(default_factory=list)
    pushes: list[dict[str, Any]] = field(default_factory=list)
    """Oldest first."""

    def label(self, name: str, by: str | None, at: int, *, event: str = "labeled") -> None:
        """Let somebody put a label on, or with `unlabeled` take it off."""
        self.events.append(
            {
                "id": len(self.events) + 1,
                "node_id": "LE_1",
                "url": f"{API}/events/1",
                "actor": account(by),
                "event": event,
                "commit_id": None,
                "commit_url": None,
                "created_at": minute(at),
                "performed_via_github_app": None,
                "label": {"name": name, "color": "ff0000"},
            }
        )

    def review(self, by: str | None, commit: str, *, state: str = "APPROVED", at: int = 0) -> None:
        """Let somebody review."""
        link = {"href": API}
        self.reviews.append(
            {
                "id": len(self.reviews) + 1,
                "node_id": "PRR_1",
                "user": account(by),
                "body": "",
                "state": state,
                "commit_id": commit,
                "html_url": API,
                "pull_request_url": API,
                "_links": {"html": link, "pull_request": link},
                "author_association": "NONE",
                "submitted_at": minute(at),
            }
        )

    def push(self, sha: str, at: int, ref: str = "refs/heads/topic") -> None:
        """Let somebody push."""
        self.pushes.append(
            {
                "id": len(self.pushes) + 1,
                "node_id": "PSH_1",
                "before": "0" * 40,
                "after": sha,
                "ref": ref,
                "timestamp": minute(at),
                "activity_type": "push",
                "actor": account("ada"),
            }
        )

    def permission(self, login: str) -> dict[str, Any]:
        """Return a person's permission as GitHub words it: the role, and the old three names."""
        role = self.roles.get(login, "read")
        old = {"triage": "read", "maintain": "write"}.get(role, role if role in {"admin", "write", "read"} else "write")
        owner = account(login, self.numbers.get(login))
        return {"permission": old, "role_name": role, "user": {**(owner or {}), "role_name": role}}

    def activity(self, query_ref: str) -> list[dict[str, Any]]:
        """Return a branch's pushes, newest first."""
        return [push for push in reversed(self.pushes) if push["ref"] == unquote(query_ref)]


def routes(people: People, page: Callable[..., Any], reply: Callable[..., Any]) -> list[tuple[str, Callable[..., Any]]]:
    """Return the routes of GET, each with what answers it."""

    def member(team: str, login: str) -> Any:
        if people.hides_teams:
            return reply(403, {"message": "Resource not accessible by integration"})
        if login in people.teams.get(team, ()):
            return reply(200, {"role": "member", "state": "active", "url": API})
        return reply(404, {"message": "Not Found"})

    return [
        (r"/repos/[^/]+/[^/]+/issues/(\d+)/events", lambda n, query: page(f"/issues/{n}/events", people.events, query)),
        (
            r"/repos/[^/]+/[^/]+/pulls/(\d+)/reviews",
            lambda n, query: page(f"/pulls/{n}/reviews", people.reviews, query),
        ),
        (
            r"/repos/[^/]+/[^/]+/collaborators/([^/]+)/permission",
            lambda login, **_: reply(200, people.permission(unquote(login))),
        ),
        (r"/repos/[^/]+/[^/]+/activity", lambda query: reply(200, people.activity(query["ref"])[:1])),
        (
            r"/orgs/([^/]+)/teams/([^/]+)/memberships/([^/]+)",
            lambda organization, team, login, **_: member(f"{organization}/{team}", unquote(login)),
        ),
    ]
