"""One issue for each thing that is wrong: found by its marker and author, updated in place, closed when it is over."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager

from promptci.present.escape import BREAK, one_line, shorten
from promptci.publish.github.api import Forbidden, GitHubError, NotFound
from promptci.publish.github.issue_client import Issue, IssueClient
from promptci.publish.truncate import truncate_markdown

MAX_TITLE_CHARS = 200
"""GitHub takes 256."""
MAX_BODY_BYTES = 60_000
"""GitHub takes 65,536 characters."""
_CUT = "*The rest was cut: the text is too long for an issue.*"
_PERMISSION = "Give the job `permissions: issues: write`."


@contextmanager
def connect_tracker(environ: Mapping[str, str], labels: Sequence[str] = ()) -> Iterator["IssueTracker | None"]:
    """Yield the tracker of a workflow's repository; None outside a workflow or without `GITHUB_TOKEN`."""
    token, repository = environ.get("GITHUB_TOKEN"), environ.get("GITHUB_REPOSITORY")
    if not token or not repository:
        yield None
        return
    api_url = (environ.get("GITHUB_API_URL") or "https://api.github.com").rstrip("/")
    with closing(IssueClient(token, repository, api_url)) as client:
        yield IssueTracker(client, labels)


class IssueTracker:
    """The issues that promptci opens in a repository, one for each key.

    An issue is ours if its text begins with the marker of its key and our own account wrote it. The token of an app,
    such as a workflow's, may not ask which account it is: then an app must have written it.
    """

    def __init__(self, github: IssueClient, labels: Sequence[str] = ()) -> None:
        """Prepare; nothing is sent yet. GitHub ignores labels where the token may not set them."""
        self._github = github
        self._labels = tuple(labels)
        self._login: str | None = None
        self._open: list[Issue] | None = None
        """The repository's open issues as they were listed for the first key; None: not yet, or out of date."""

    def open_or_update(self, key: str, title: str, body: str) -> str:
        """Open the issue of a key, or bring the one that is open up to date; return its address.

        `title` is plain text. `body` is Markdown: what others wrote must be escaped (`present.escape`). Nothing is
        sent where both are as they were. Of several open issues of one key the oldest is kept.

        Raises
        ------
        GitHubError
            With what to do about it.
        """
        marker = build_marker(key)
        title, text = _prepare_title(title), f"{marker}\n{_prepare_text(body)}"
        with _explained():
            login = self._begin()
            ours = self._find(marker, login)
            for place, existing in enumerate(ours):
                try:
                    updated = self._update(existing, title, text)
                except (NotFound, Forbidden):  # transferred meanwhile; another app's
                    if login is not None:
                        raise
                    continue
                if updated.is_open:
                    self._fold(updated, ours[place + 1 :])
                    return updated.url
            created = self._github.create_issue(
                title, text, self._labels, lambda: next(iter(self._find(marker, login, again=True)), None)
            )
            return self._give_way(created, marker, title, text).url

    def close(self, key: str, comment: str) -> str | None:
        """Close the issue of a key with a comment (Markdown); return its address, None where none is open.

        Raises
        ------
        GitHubError
            With what to do about it.
        """
        marker = build_marker(key)
        with _explained():
            login = self._begin()
            closed = [self._close(issue, _prepare_text(comment), login) for issue in self._find(marker, login)]
        return next((url for url in closed if url is not None), None)

    def _begin(self) -> str | None:
        """Return our login, and list the open issues, where that is not done yet."""
        if self._open is None:
            self._login = self._github.viewer_login()
            self._open = list(self._github.open_issues())
        return self._login

    def _find(self, marker: str, login: str | None, *, again: bool = False) -> list[Issue]:
        """Return the open issues with this marker that we wrote, the oldest first."""
        if again or self._open is None:
            self._open = list(self._github.open_issues())
        marked = [issue for issue in self._open if issue.body.startswith(marker)]
        ours = [issue for issue in marked if (issue.is_bot if login is None else issue.author == login)]
        return sorted(ours, key=lambda issue: issue.number)

    def _update(self, existing: Issue, title: str, text: str) -> Issue:
        if (existing.title, existing.body.replace("\r\n", "\n")) == (title, text):
            return existing
        return self._remember(self._github.update_issue(existing.number, title, text))

    def _remember(self, changed: Issue) -> Issue:
        """Keep the list of open issues in step with our own changes."""
        others = [issue for issue in self._open or () if issue.number != changed.number]
        self._open = [*others, changed] if changed.is_open else others
        return changed

    def _give_way(self, created: Issue, marker: str, title: str, text: str) -> Issue:
        """Look again after opening: if two runs both found no issue, the later one closes its own."""
        try:
            ours = self._find(marker, created.author, again=True)
            elders = [issue for issue in ours if issue.number < created.number]
            if not elders:
                return created
            kept = self._update(elders[0], title, text)
        except GitHubError:  # the issue is open; only the second look failed
            return created
        self._fold(kept, [*elders[1:], created])
        return kept

    def _fold(self, kept: Issue, duplicates: Sequence[Issue]) -> None:
        """Close duplicates; one that cannot be closed is left to the next look."""
        for issue in duplicates:
            if issue.author == kept.author:
                try:
                    _comment_once(self._github, issue, f"Duplicate of #{kept.number}.")
                    self._remember(self._github.close_issue(issue.number, "not_planned"))
                except GitHubError:
                    continue

    def _close(self, issue: Issue, comment: str, login: str | None) -> str | None:
        try:
            _comment_once(self._github, issue, comment)
            return self._remember(self._github.close_issue(issue.number, "completed")).url
        except NotFound:
            return None
        except Forbidden:
            if login is not None:
                raise
            return None  # another app's


def _comment_once(github: IssueClient, issue: Issue, comment: str) -> None:
    """Add a comment unless it is there: an earlier attempt may have got no further. A locked issue gets none."""
    try:
        if not any(each.body == comment for each in github.comments(issue.number)):
            github.create_comment(issue.number, comment)
    except Forbidden as error:
        if "locked" not in error.message.lower():
            raise


def build_marker(key: str) -> str:
    """Return the first line of an issue's text, invisible to readers."""
    return f"<!-- promptci-issue:v1 id={hashlib.sha256(key.encode(errors='surrogatepass')).hexdigest()[:32]} -->"


def _prepare_title(title: str) -> str:
    return shorten(one_line(" ".join(title.split())), MAX_TITLE_CHARS)


def _prepare_text(text: str) -> str:
    """Return Markdown that fits, with no marker of ours in it."""
    return truncate_markdown(text, MAX_BODY_BYTES, _CUT).replace("<!--", f"<{BREAK}!--").strip()


@contextmanager
def _explained() -> Iterator[None]:
    """Add to an error of GitHub what to do about it."""
    try:
        yield
    except Forbidden as error:
        message = f"The issue could not be written: the token may not do it ({error.message})"
        raise Forbidden(message, _PERMISSION) from error
    except NotFound as error:
        hint = f"Check that issues are enabled in the repository. {_PERMISSION}"
        raise NotFound(f"The issue could not be written: {error.message}", hint) from error
