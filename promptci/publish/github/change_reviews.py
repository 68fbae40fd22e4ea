"""What people did about a pull request, as GitHub says it: labels, comments, reviews, permissions, the last push."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from promptci.errors import UsageError
from promptci.publish.github.api import NotFound, Unavailable
from promptci.publish.github.github_session import PER_PAGE, ClientClock, GithubSession
from promptci.publish.github.response_fields import check_list, get_field, get_number, is_by_bot
from promptci.publish.runner.context import ActionContext
from promptci.reviews import PERMISSIONS, ChangeReviews, LabelEvent, Person, Review, ReviewedChange, WrittenComment


def connect_reviews(context: ActionContext) -> ChangeReviews | None:
    """Return the pull request of a run; None where the run belongs to none."""
    if context.pull_request is None:
        return None
    return GithubReviews(context.inputs["github-token"], context.repository, context.pull_request, context.api_url)


class GithubReviews:
    """One pull request; each question is asked once."""

    def __init__(
        self, token: str, repository: str, number: int, api_url: str, *, clock: ClientClock | None = None
    ) -> None:
        """Prepare; nothing is sent yet."""
        self._root = f"/repos/{repository}"
        self._number = number
        self._token = token
        self._api_url = api_url
        self._clock = clock or ClientClock()
        self._opened: GithubSession | None = None
        self._pull: Any = None
        self._permissions: dict[Person, str] = {}

    @property
    def _session(self) -> GithubSession:
        if not self._token:
            raise UsageError("There is no token to ask GitHub with", "Give the input github-token.")
        self._opened = self._opened or GithubSession(self._token, self._api_url, self._clock)
        return self._opened

    def change(self) -> ReviewedChange:
        """Return the pull request as it stands now."""
        pull = self._session.request("GET", f"{self._root}/pulls/{self._number}")
        self._pull = pull
        return ReviewedChange(
            author=_person(pull, "user"),
            head_sha=str(get_field(get_field(pull, "head"), "sha")),
            labels=tuple(str(get_field(label, "name")) for label in check_list(get_field(pull, "labels"))),
            body=str(get_field(pull, "body") or ""),
        )

    def label_events(self) -> list[LabelEvent]:
        """Return the putting on and taking off of labels, oldest first."""
        items = self._items(f"{self._root}/issues/{self._number}/events")
        events = [
            LabelEvent(
                label=str(get_field(get_field(item, "label"), "name")),
                added=item["event"] == "labeled",
                by=_person(item, "actor"),
                at=_time(get_field(item, "created_at")),
            )
            for item in items
            if get_field(item, "event") in {"labeled", "unlabeled"}
        ]
        return sorted(events, key=lambda event: event.at)

    def written_comments(self) -> list[WrittenComment]:
        """Return the comments, oldest first."""
        comments = [
            WrittenComment(
                by=_person(item, "user"),
                at=_time(get_field(item, "created_at")),
                edited=get_field(item, "updated_at") != item["created_at"],
                text=str(get_field(item, "body") or ""),
            )
            for item in self._items(f"{self._root}/issues/{self._number}/comments")
        ]
        return sorted(comments, key=lambda comment: comment.at)

    def reviews(self) -> list[Review]:
        """Return the reviews, oldest first; GitHub lists them in this order."""
        return [
            Review(
                by=_person(item, "user"),
                state=str(get_field(item, "state")).upper(),
                commit=item.get("commit_id"),
                at=_time(item["submitted_at"]) if item.get("submitted_at") else None,
            )
            for item in self._items(f"{self._root}/pulls/{self._number}/reviews")
        ]

    def pushed_at(self) -> datetime | None:
        """Return when the head was pushed: the branch's newest activity, which its owner cannot date back."""
        head = get_field(self._pull or self._session.request("GET", f"{self._root}/pulls/{self._number}"), "head")
        repository = head.get("repo") if isinstance(head, dict) else None
        if not isinstance(repository, dict):  # the fork is gone
            return None
        name = quote(str(get_field(repository, "full_name")), safe="/")
        ref = quote(f"refs/heads/{get_field(head, 'ref')}", safe="")
        try:
            newest = check_list(self._session.request("GET", f"/repos/{name}/activity?ref={ref}&per_page=1"))
        except NotFound:
            return None
        if not newest or newest[0].get("after") != head.get("sha"):
            return None
        return _time(get_field(newest[0], "timestamp"))

    def permission(self, person: Person) -> str:
        """Return what a person may do; `none` where the login belongs to another account by now."""
        if person not in self._permissions:
            self._permissions[person] = self._ask_permission(person)
        return self._permissions[person]

    def is_member(self, person: Person, team: str) -> bool:
        """Return whether a person is an active member; False also where the token is not shown the team."""
        organization, _, slug = team.partition("/")
        path = f"/orgs/{quote(organization, safe='')}/teams/{quote(slug, safe='')}/memberships/{_quoted(person)}"
        try:
            return bool(get_field(self._session.request("GET", path), "state") == "active")
        except NotFound:
            return False

    def _ask_permission(self, person: Person) -> str:
        try:
            answer = self._session.request("GET", f"{self._root}/collaborators/{_quoted(person)}/permission")
        except NotFound:
            return "none"
        owner = answer.get("user") if isinstance(answer, dict) else None
        if not isinstance(owner, dict) or owner.get("id") != person.id:
            return "none"
        role = answer.get("role_name")  # a role of the organization's own has another name
        return str(role if role in PERMISSIONS else get_field(answer, "permission"))

    def _items(self, url: str) -> Iterator[dict[str, Any]]:
        for page in self._session.pages(f"{url}?per_page={PER_PAGE}"):
            yield from check_list(page)


def _quoted(person: Person) -> str:
    return quote(person.login, safe="")


def _person(item: Any, field: str) -> Person | None:
    """Return who did something; None where the account is gone."""
    user = get_field(item, field)
    if user is None:
        return None
    login = str(get_field(user, "login"))
    is_bot = is_by_bot({"user": user}) or login.endswith("[bot]")
    return Person(login=login, id=get_number(user, "id"), is_bot=is_bot)


def _time(value: Any) -> datetime:
    """Return a time in UTC; Unavailable where it is none."""
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    except ValueError:
        raise Unavailable("GitHub's answer has a time that is none") from None
