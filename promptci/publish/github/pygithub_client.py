"""The repository of a run on GitHub: REST endpoints in, our nouns out."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

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
from promptci.publish.github.github_session import PER_PAGE, ClientClock, GithubSession
from promptci.publish.github.response_fields import check_list, get_author, get_field, get_number, is_by_bot
from promptci.publish.runner.context import ActionContext


def connect(context: ActionContext) -> GitHub | None:
    """Return the repository of a run, as the run's token sees it; None where there is no token."""
    token = context.inputs["github-token"]
    return PyGithubClient(token, context.repository, context.api_url) if token else None


class PyGithubClient:
    """One repository on GitHub, through PyGithub."""

    def __init__(self, token: str, repository: str, api_url: str, clock: ClientClock | None = None) -> None:
        """Prepare; nothing is sent yet."""
        self._root = f"/repos/{repository}"
        self._session = GithubSession(token, api_url, clock or ClientClock())

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def viewer_login(self) -> str | None:
        """Return the token's login; None for an app's token, such as a workflow's, which may not ask."""
        try:
            user = self._session.request("GET", "/user")
        except Forbidden:
            return None
        return str(get_field(user, "login"))

    def comments(self, number: int) -> Iterator[Comment]:
        """Yield every comment, page after page."""
        for page in self._session.pages(f"{self._root}/issues/{number}/comments?per_page={PER_PAGE}"):
            if not isinstance(page, list):
                raise Unavailable("GitHub gave no list of comments")
            yield from map(_comment, page)

    def create_comment(self, number: int, body: str) -> Comment:
        """Add a comment."""
        return _comment(self._session.request("POST", f"{self._root}/issues/{number}/comments", {"body": body}))

    def update_comment(self, comment_id: int, body: str) -> Comment:
        """Replace a comment's text."""
        return _comment(self._session.request("PATCH", f"{self._root}/issues/comments/{comment_id}", {"body": body}))

    def delete_comment(self, comment_id: int) -> None:
        """Take a comment away."""
        self._session.request("DELETE", f"{self._root}/issues/comments/{comment_id}")

    def set_status(self, sha: str, state: State, context: str, description: str, target_url: str) -> None:
        """Put a status beside a commit; Unavailable where what answers is not GitHub, and so took nothing."""
        sent = {"state": state, "context": context, "description": description, "target_url": target_url}
        taken = self._session.request("POST", f"{self._root}/statuses/{sha}", sent)
        if get_field(taken, "state") != state:
            raise Unavailable("GitHub's answer is of another status")

    def statuses(self, sha: str, context: str) -> list[PostedStatus]:
        """Return the statuses of a commit with this context, newest first."""
        items = check_list(self._session.request("GET", f"{self._root}/commits/{sha}/statuses?per_page={PER_PAGE}"))
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
        """Create a finished check run on a commit; where the response is lost, find out whether it was created."""
        created = self._session.request(
            "POST", f"{self._root}/check-runs", _describe(run, remarks), lambda: self._find_created_run(run)
        )
        return get_number(created, "id")

    def add_remarks(self, check_run_id: int, run: CheckRun, remarks: Sequence[Remark], existing_count: int) -> None:
        """Add remarks; where the answer is lost, count whether they stand."""
        url = f"{self._root}/check-runs/{check_run_id}"

        def find_updated_run() -> Any:
            check_run = self._session.request("GET", url)
            count = get_field(get_field(check_run, "output"), "annotations_count")
            return check_run if isinstance(count, int) and count > existing_count else None

        self._session.request("PATCH", url, {"output": _output(run, remarks)}, find_updated_run)

    def _find_created_run(self, run: CheckRun) -> Any:
        name = quote(run.name, safe="")
        url = f"{self._root}/commits/{run.sha}/check-runs?check_name={name}&per_page={PER_PAGE}"
        runs = check_list(get_field(self._session.request("GET", url), "check_runs"))
        return next((each for each in runs if each.get("external_id") == run.external_id), None)

    def pull(self, number: int) -> PullRequest:
        """Return a pull request."""
        return _pull(self._session.request("GET", f"{self._root}/pulls/{number}"))

    def pulls_from(self, owner: str, branch: str) -> list[PullRequest]:
        """Return the pull requests from a branch; of more than a hundred the hundred touched last."""
        head = quote(f"{owner}:{branch}", safe="")
        order = f"state=all&sort=updated&direction=desc&per_page={PER_PAGE}"
        return [
            _pull(each) for each in check_list(self._session.request("GET", f"{self._root}/pulls?head={head}&{order}"))
        ]

    def branch_sha(self, name: str) -> str:
        """Return the commit at which a branch stands."""
        ref = self._session.request("GET", f"{self._root}/git/ref/heads/{quote(name, safe='/')}")
        return str(get_field(get_field(ref, "object"), "sha"))


def _describe(run: CheckRun, remarks: Sequence[Remark]) -> dict[str, Any]:
    return {
        "name": run.name,
        "head_sha": run.sha,
        "status": "completed",
        "conclusion": run.conclusion,
        "external_id": run.external_id,
        "details_url": run.details_url,
        "output": _output(run, remarks),
    }


def _output(run: CheckRun, remarks: Sequence[Remark]) -> dict[str, Any]:
    return {"title": run.title, "summary": run.summary, "annotations": [dict(each) for each in remarks]}


def _comment(item: Any) -> Comment:
    return Comment(
        id=get_number(item, "id"),
        body=str(get_field(item, "body") or ""),
        author=get_author(item),
        is_bot=is_by_bot(item),
        url=str(get_field(item, "html_url") or ""),
    )


def _pull(item: Any) -> PullRequest:
    return PullRequest(number=get_number(item, "number"), head_sha=str(get_field(get_field(item, "head"), "sha")))
