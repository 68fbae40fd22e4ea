"""Parse an event's payload: commits, their owner, the pull request. All of it is untrusted data."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from promptci.errors import UsageError

PULL_REQUEST_EVENTS = ("pull_request", "pull_request_target", "pull_request_review")
PRIVILEGED_EVENTS = ("pull_request_target", "workflow_run")
"""Events that run with secrets and a writing token even where the pull request comes from a fork."""
CHANGE_EVENTS = (*PULL_REQUEST_EVENTS, "merge_group", "push", "workflow_run")
"""Events about a change; every other one (`schedule`, `workflow_dispatch`) has nothing to compare."""
PLAIN_EVENTS = ("schedule", "workflow_dispatch", "repository_dispatch")
"""Events without a change: everything is tested at one revision, unless the inputs name a base."""
EVENTS = (*CHANGE_EVENTS, *PLAIN_EVENTS)
"""All others are refused: it is unknown whose commits they run over."""
HINT = "This file is written by GitHub's runner; run the job again, and check GITHUB_EVENT_PATH if you set it yourself."

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def load_event(path: str) -> Mapping[str, Any]:
    """Read the event's file.

    Raises
    ------
    UsageError
        Where it is missing, cut off, or no object.
    """
    try:
        payload = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise UsageError(f"The event's file {path} cannot be read: {error.strerror}", HINT) from None
    except (ValueError, RecursionError):
        raise UsageError(f"The event's file {path} is not whole JSON", HINT) from None
    if not isinstance(payload, dict):
        raise UsageError(f"The event's file {path} holds no object", HINT)
    return payload


def check_event(event: str) -> str:
    """Return the name of a supported event; raise UsageError for another one."""
    if event not in EVENTS:
        raise UsageError(f"The event {event[:40]!r} is not supported", f"Run promptci on one of: {', '.join(EVENTS)}.")
    return event


def is_deletion(event: str, payload: Mapping[str, Any]) -> bool:
    """Return whether a push deletes a branch or tag, so that there is nothing to test."""
    after = payload.get("after")
    return event == "push" and isinstance(after, str) and bool(after) and not after.strip("0")


def get_commits(event: str, payload: Mapping[str, Any], started_for: str) -> tuple[str | None, str]:
    """Return the commits to compare; the merge commit that a pull request's run is started for is never the head.

    The base of a branch's first push is all zeros: nothing was there. None: the event names no base.
    """
    match event:
        case "pull_request" | "pull_request_target" | "pull_request_review":
            return _sha(payload, "pull_request", "base", "sha"), _sha(payload, "pull_request", "head", "sha")
        case "merge_group":
            return _sha(payload, "merge_group", "base_sha"), _sha(payload, "merge_group", "head_sha")
        case "workflow_run":
            return None, _sha(payload, "workflow_run", "head_sha")
        case "push":
            before, after = _sha(payload, "before"), _sha(payload, "after")
            if after.strip("0"):
                return before, after
    # Also a push that deletes a branch: GitHub then runs on the default branch.
    return None, check_sha(started_for, "GITHUB_SHA")


def is_outside(event: str, payload: Mapping[str, Any]) -> bool:
    """Return whether the head comes from another repository; a deleted fork (`null`) does."""
    match event:
        case "pull_request" | "pull_request_target" | "pull_request_review":
            head = get_nested(payload, "pull_request", "head", "repo", "full_name")
            base = get_nested(payload, "pull_request", "base", "repo", "full_name")
        case "workflow_run":
            head = get_nested(payload, "workflow_run", "head_repository", "full_name")
            base = get_nested(payload, "repository", "full_name")
        case _:
            return False
    return head is None or head != base


def is_labelled(event: str, payload: Mapping[str, Any], label: str) -> bool:
    """Return whether this event is the one that put on the label.

    Not whether it is there: a label stays through the next push, and an approval must not.
    """
    put_on = event == "pull_request_target" and payload.get("action") == "labeled"
    return bool(label) and put_on and get_nested(payload, "label", "name") == label


def get_pull_request_number(payload: Mapping[str, Any]) -> int | None:
    """Return the pull request's number, if the event has one."""
    number = get_nested(payload, "pull_request", "number")
    runs = get_nested(payload, "workflow_run", "pull_requests")
    if number is None and isinstance(runs, list) and runs and isinstance(runs[0], dict):
        number = runs[0].get("number")
    return parse_count(number)


def get_branch(payload: Mapping[str, Any], side: str) -> str | None:
    """Return the name of the pull request's branch on one side, `base` or `head`."""
    return parse_text(get_nested(payload, "pull_request", side, "ref"))


def parse_count(value: Any) -> int | None:
    """Return a number of GitHub's, counted from 1; None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def parse_text(value: Any) -> str | None:
    """Return a text that is not blank; None for anything else."""
    return value if isinstance(value, str) and value else None


def check_sha(value: Any, name: str) -> str:
    """Raise for anything but an object name: it is passed to git."""
    if not isinstance(value, str) or not _SHA.fullmatch(value):
        raise UsageError(f"{name} is {str(value)[:80]!r}, not a commit", HINT)
    return value


def get_nested(payload: Mapping[str, Any], *keys: str) -> Any:
    """Return the value at nested keys; None if one is missing."""
    value: Any = payload
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _sha(payload: Mapping[str, Any], *keys: str) -> str:
    return check_sha(get_nested(payload, *keys), f"event.{'.'.join(keys)}")
