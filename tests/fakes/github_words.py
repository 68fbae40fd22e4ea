"""GitHub's objects with all the fields its own description asks for."""

from collections.abc import Mapping
from typing import Any

from fakes.github_issues import KnownIssue

WHEN = "2026-11-02T09:00:00Z"


def user(login: str, *, private: bool = False) -> dict[str, Any]:
    """Return an account; `private` adds what GitHub tells the account itself."""
    api, web = f"https://api.github.com/users/{login}", f"https://github.com/{login}"
    lists = ["followers", "following", "gists", "starred", "subscriptions", "organizations"]
    lists += ["repos", "events", "received_events"]
    known = {
        "login": login,
        "id": 41_898_282,
        "node_id": "MDM6Qm90NDE4OTgyODI=",
        "avatar_url": "https://avatars.githubusercontent.com/in/15368?v=4",
        "gravatar_id": "",
        "url": api,
        "html_url": web,
        **{f"{name}_url": f"{api}/{name}" for name in lists},
        "type": "Bot" if login.endswith("[bot]") else "User",
        "site_admin": False,
    }
    return known | _own() if private else known


def comment(api: str, repository: str, number: int, author: str, body: str, *, issue: int = 7) -> dict[str, Any]:
    """Return a comment of an issue or a pull request."""
    return {
        "id": number,
        "node_id": f"IC_{number}",
        "url": f"{api}/repos/{repository}/issues/comments/{number}",
        "html_url": f"https://github.com/{repository}/pull/{issue}#issuecomment-{number}",
        "issue_url": f"{api}/repos/{repository}/issues/{issue}",
        "user": user(author),
        "created_at": WHEN,
        "updated_at": WHEN,
        "author_association": "NONE",
        "body": body,
        "performed_via_github_app": None,
    }


def status(api: str, repository: str, number: int, sha: str, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return a commit status."""
    return {
        "url": f"{api}/repos/{repository}/statuses/{sha}",
        "avatar_url": "https://avatars.githubusercontent.com/in/15368?v=4",
        "id": number,
        "node_id": f"SC_{number}",
        "state": sent["state"],
        "description": sent.get("description"),
        "target_url": sent.get("target_url"),
        "context": sent.get("context", "default"),
        "created_at": WHEN,
        "updated_at": WHEN,
        "creator": user("github-actions[bot]"),
    }


def _own() -> dict[str, Any]:
    texts = dict.fromkeys(("name", "company", "blog", "location", "email", "bio", "twitter_username"), "")
    counts = ("public_repos", "public_gists", "followers", "following", "private_gists", "total_private_repos")
    numbers = dict.fromkeys((*counts, "owned_private_repos", "disk_usage", "collaborators"), 0)
    return {
        **texts,
        **numbers,
        "hireable": None,
        "email": None,
        "created_at": WHEN,
        "updated_at": WHEN,
        "two_factor_authentication": True,
    }


_LISTS = (
    *(
        "archive",
        "assignees",
        "blobs",
        "branches",
        "clone",
        "collaborators",
        "comments",
        "commits",
        "compare",
        "contents",
    ),
    *(
        "contributors",
        "deployments",
        "downloads",
        "events",
        "forks",
        "git_commits",
        "git_refs",
        "git_tags",
        "git",
        "hooks",
    ),
    *(
        "html",
        "issue_comment",
        "issue_events",
        "issues",
        "keys",
        "labels",
        "languages",
        "merges",
        "milestones",
        "notifications",
    ),
    *("pulls", "releases", "ssh", "stargazers", "statuses", "subscribers", "subscription", "svn", "tags", "teams"),
    "trees",
)


def repository(api: str, full_name: str) -> dict[str, Any]:
    """Return a repository."""
    owner, _, name = full_name.partition("/")
    own = f"{api}/repos/{full_name}"
    no = ("archived", "disabled", "fork", "has_downloads", "has_pages", "has_projects", "has_wiki", "private")
    counts = ("forks", "forks_count", "open_issues", "open_issues_count", "size", "stargazers_count", "watchers")
    unknown = ("description", "homepage", "language", "license", "mirror_url", "pushed_at")
    return {
        **{f"{each}_url": f"{own}/{each}" for each in _LISTS},
        **dict.fromkeys(no, False),
        **dict.fromkeys((*counts, "watchers_count"), 0),
        **dict.fromkeys(unknown),
        "id": 4_711,
        "node_id": "R_4711",
        "url": own,
        "name": name,
        "full_name": full_name,
        "owner": user(owner),
        "default_branch": "main",
        "has_issues": True,
        "created_at": WHEN,
        "updated_at": WHEN,
        "mirror_url": "",
    }


def pull(api: str, full_name: str, known: Mapping[str, Any], *, whole: bool = False) -> dict[str, Any]:
    """Return a pull request, in a list or whole; `known` has number, sha, owner and branch of the head."""
    number = known["number"]
    own, web = f"{api}/repos/{full_name}/pulls/{number}", f"https://github.com/{full_name}/pull/{number}"
    issue = f"{api}/repos/{full_name}/issues/{number}"
    links = ("comments", "commits", "statuses", "html", "issue", "review_comments", "review_comment", "self")
    urls = ("comments", "commits", "diff", "html", "issue", "patch", "review_comment", "review_comments", "statuses")
    fork = f"{known['owner']}/{full_name.partition('/')[2]}"
    listed = {
        **{f"{each}_url": f"{own}/{each}" for each in urls},
        **dict.fromkeys(("assignee", "closed_at", "merge_commit_sha", "merged_at", "milestone", "auto_merge")),
        "body": known.get("body"),
        "_links": {each: {"href": f"{own}/{each}"} for each in links},
        "html_url": web,
        "issue_url": issue,
        "url": own,
        "id": number,
        "node_id": f"PR_{number}",
        "number": number,
        "labels": [_label(name) for name in known.get("labels", ())],
        "state": "open",
        "locked": False,
        "title": "A change",
        "created_at": WHEN,
        "updated_at": WHEN,
        "author_association": "NONE",
        "user": known.get("user", user(known["owner"])),
        "base": _side(api, full_name, "main", "b" * 40),
        "head": _side(api, fork, known["branch"], known["sha"]),
    }
    counts = dict.fromkeys(("additions", "changed_files", "comments", "commits", "deletions", "review_comments"), 1)
    merge_state = {"mergeable": None, "mergeable_state": "unknown", "merged": False, "merged_by": None}
    return {**listed, **counts, **merge_state, "maintainer_can_modify": False} if whole else listed


def _label(name: str) -> dict[str, Any]:
    common = {"id": 1, "node_id": "LA_1", "url": "https://api.github.com", "description": ""}
    return {**common, "name": name, "color": "ff0000", "default": False}


def _side(api: str, full_name: str, branch: str, sha: str) -> dict[str, Any]:
    owner = full_name.partition("/")[0]
    origin = {"repo": repository(api, full_name), "user": user(owner)}
    return {"label": f"{owner}:{branch}", "ref": branch, "sha": sha, **origin}


def ref(api: str, full_name: str, name: str, sha: str) -> dict[str, Any]:
    """Return a branch."""
    return {
        "ref": f"refs/heads/{name}",
        "node_id": "REF_1",
        "url": f"{api}/repos/{full_name}/git/refs/heads/{name}",
        "object": {"type": "commit", "sha": sha, "url": f"{api}/repos/{full_name}/git/commits/{sha}"},
    }


def check_run(api: str, full_name: str, number: int, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return a check run; `sent` is what it was made from, with all its `annotations`."""
    own = f"{api}/repos/{full_name}/check-runs/{number}"
    output = sent["output"]
    return {
        "id": number,
        "node_id": f"CR_{number}",
        "head_sha": sent["sha"],
        "name": sent["name"],
        "url": own,
        "html_url": f"https://github.com/{full_name}/runs/{number}",
        "details_url": sent.get("details_url"),
        "status": sent["status"],
        "conclusion": sent.get("conclusion"),
        "started_at": WHEN,
        "completed_at": WHEN,
        "external_id": sent.get("external_id"),
        "check_suite": {"id": 5},
        "output": {
            "title": output["title"],
            "summary": output["summary"],
            "text": None,
            "annotations_count": len(sent["annotations"]),
            "annotations_url": f"{own}/annotations",
        },
        "app": None,
        "pull_requests": [],
    }


def issue(api: str, full_name: str, known: KnownIssue) -> dict[str, Any]:
    """Return an issue; a pull request is one too."""
    own, web = f"{api}/repos/{full_name}/issues/{known.number}", f"https://github.com/{full_name}"
    links = ("comments", "events")
    pull_url = f"{api}/repos/{full_name}/pulls/{known.number}"
    pull_links = dict.fromkeys(("url", "diff_url", "html_url", "patch_url"), pull_url)
    labels = [{"id": place, "name": name} for place, name in enumerate(known.labels, start=1)]
    return {
        **{f"{each}_url": f"{own}/{each}" for each in links},
        **dict.fromkeys(("assignee", "milestone", "active_lock_reason")),
        **({"pull_request": pull_links} if known.is_pull else {}),
        "labels_url": f"{own}/labels{{/name}}",
        "repository_url": f"{api}/repos/{full_name}",
        "url": own,
        "html_url": f"{web}/{'pull' if known.is_pull else 'issues'}/{known.number}",
        "id": known.number,
        "node_id": f"I_{known.number}",
        "number": known.number,
        "title": known.title,
        "body": known.body,
        "user": user(known.author),
        "labels": labels,
        "state": known.state,
        "state_reason": known.state_reason,
        "locked": False,
        "comments": 0,
        "closed_at": None if known.state == "open" else WHEN,
        "created_at": WHEN,
        "updated_at": WHEN,
        "author_association": "NONE",
    }
