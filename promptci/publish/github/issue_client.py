"""Issues of the repository on GitHub: REST endpoints in, our nouns out."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from promptci.lazy_dataclass import dataclass
from promptci.publish.github.api import Unavailable
from promptci.publish.github.github_session import PER_PAGE
from promptci.publish.github.pygithub_client import PyGithubClient
from promptci.publish.github.response_fields import check_list, get_author, get_field, get_number, is_by_bot

CloseReason = Literal["completed", "not_planned"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Issue:
    """An issue of the repository."""

    number: int
    """Numbers rise with time: the smallest is the oldest."""
    title: str
    body: str
    author: str
    """Login; "" where the account is gone."""
    is_bot: bool
    """Whether an app wrote it."""
    is_open: bool
    url: str


class IssueClient(PyGithubClient):
    """The repository's issues beside everything else of it."""

    def open_issues(self) -> Iterator[Issue]:
        """Yield every open issue, the oldest first; pull requests, which GitHub lists too, are left out."""
        order = f"state=open&sort=created&direction=asc&per_page={PER_PAGE}"
        for page in self._session.pages(f"{self._root}/issues?{order}"):
            yield from (_issue(item) for item in check_list(page) if not item.get("pull_request"))

    def create_issue(
        self, title: str, body: str, labels: Sequence[str], find_created: Callable[[], Issue | None]
    ) -> Issue:
        """Open an issue; where the response is lost, `find_created` tells whether it was opened."""
        sent = {"title": title, "body": body, "labels": list(labels)}
        created = self._session.request("POST", f"{self._root}/issues", sent, find_created)
        return created if isinstance(created, Issue) else _issue(created)

    def update_issue(self, number: int, title: str, body: str) -> Issue:
        """Replace an issue's title and text."""
        return _issue(self._session.request("PATCH", f"{self._root}/issues/{number}", {"title": title, "body": body}))

    def close_issue(self, number: int, reason: CloseReason) -> Issue:
        """Close an issue.

        Raises
        ------
        Unavailable
            If it is still open according to GitHub's response.
        """
        sent = {"state": "closed", "state_reason": reason}
        issue = _issue(self._session.request("PATCH", f"{self._root}/issues/{number}", sent))
        if issue.is_open:
            raise Unavailable(f"GitHub left issue {number} open")
        return issue


def _issue(item: Any) -> Issue:
    return Issue(
        number=get_number(item, "number"),
        title=str(get_field(item, "title")),
        body=str(get_field(item, "body") or ""),
        author=get_author(item),
        is_bot=is_by_bot(item),
        is_open=get_field(item, "state") == "open",
        url=str(get_field(item, "html_url")),
    )
