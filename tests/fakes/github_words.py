"""GitHub's objects with all the fields its own description asks for."""

from collections.abc import Mapping
from typing import Any

WHEN = "2026-11-02T09:00:00Z"


def user(login: str, *, private: bool = False) -> dict[str, Any]:
    """Give an account; `private` adds what GitHub tells the account itself."""
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


def comment(api: str, repository: str, number: int, author: str, body: str) -> dict[str, Any]:
    """Give a comment of issue 7."""
    return {
        "id": number,
        "node_id": f"IC_{number}",
        "url": f"{api}/repos/{repository}/issues/comments/{number}",
        "html_url": f"https://github.com/{repository}/pull/7#issuecomment-{number}",
        "issue_url": f"{api}/repos/{repository}/issues/7",
        "user": user(author),
        "created_at": WHEN,
        "updated_at": WHEN,
        "author_association": "NONE",
        "body": body,
        "performed_via_github_app": None,
    }


def status(api: str, repository: str, number: int, sha: str, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Give a commit status."""
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
