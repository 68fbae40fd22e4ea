"""Where and why the Action runs: the runner's variables and the event's payload, read once and checked."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promptci.errors import RefusedError, UsageError

INPUTS = (
    "github-token",
    "api-key",
    "config",
    "base",
    "head",
    "out",
    "comment",
    "status",
    "allow-untrusted",
)
"""The inputs of the Action, as action.yml lists them."""
DEFAULTS: Mapping[str, str] = {
    "config": "promptci.yml",
    "out": "promptci-report",
    "comment": "true",
    "status": "true",
    "allow-untrusted": "false",
}
"""What an input is that is not given; `""` for the others."""
SWITCHES = ("comment", "status", "allow-untrusted")
PRIVILEGED = ("pull_request_target", "workflow_run")
"""Events that run with secrets and a writing token even where the pull request comes from a fork."""
DEPENDABOT = "dependabot[bot]"
"""Its runs get a token that cannot write, and no secrets, like those of a fork."""

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MENDING = (
    "This file is written by GitHub's runner; run the job again, and check GITHUB_EVENT_PATH if you set it yourself."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """One run of the Action."""

    event: str
    """Name of the event, as `pull_request`."""
    payload: Mapping[str, Any]
    """What GitHub told about it: data of strangers."""
    repository: str
    """`owner/name`."""
    pull_request: int | None
    """Number; None where the run belongs to none."""
    base_sha: str | None
    """None where the event names nothing to compare with."""
    head_sha: str
    run_id: int
    run_attempt: int
    server_url: str
    api_url: str
    is_fork: bool
    """True where the token cannot write and secrets are missing: a fork's pull request, Dependabot's."""
    workspace: Path
    output_path: Path | None
    summary_path: Path | None
    inputs: Mapping[str, str]
    """Every name of INPUTS."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Context":
        """Read the variables a runner sets.

        Raises
        ------
        UsageError
            Where a variable or the event's file is missing or makes no sense.
        RefusedError
            Where the event hands secrets to a run over a stranger's commits, unless `allow-untrusted` is `true`.
        """
        inputs = _inputs(environ)
        event, payload = _required(environ, "GITHUB_EVENT_NAME"), _payload(environ)
        outside = _is_outside(event, payload)
        if event in PRIVILEGED and outside and not _is_true("allow-untrusted", inputs["allow-untrusted"]):
            raise RefusedError(
                f"The event {event} runs with secrets, and these commits come from outside this repository",
                "Use the event pull_request, or set the input allow-untrusted to true where a maintainer has approved.",
            )
        base, head = _commits(event, payload, environ)
        return cls(
            event=event,
            payload=payload,
            repository=_required(environ, "GITHUB_REPOSITORY"),
            pull_request=_number(payload),
            base_sha=base,
            head_sha=head,
            run_id=_count(environ, "GITHUB_RUN_ID"),
            run_attempt=_count(environ, "GITHUB_RUN_ATTEMPT"),
            server_url=environ.get("GITHUB_SERVER_URL", "https://github.com").rstrip("/"),
            api_url=environ.get("GITHUB_API_URL", "https://api.github.com").rstrip("/"),
            is_fork=outside or environ.get("GITHUB_ACTOR") == DEPENDABOT,
            workspace=Path(environ.get("GITHUB_WORKSPACE") or "."),
            output_path=_path(environ, "GITHUB_OUTPUT"),
            summary_path=_path(environ, "GITHUB_STEP_SUMMARY"),
            inputs=inputs,
        )

    @property
    def run_url(self) -> str:
        """Where a person sees this run."""
        return f"{self.server_url}/{self.repository}/actions/runs/{self.run_id}"

    def switch(self, name: str) -> bool:
        """Give an input that is `true` or `false`."""
        return _is_true(name, self.inputs[name])


def _inputs(environ: Mapping[str, str]) -> dict[str, str]:
    """Read the inputs; a container gets INPUT_GITHUB-TOKEN, a shell can only set INPUT_GITHUB_TOKEN."""
    given = {
        name: environ.get(f"INPUT_{name.upper()}") or environ.get(f"INPUT_{name.upper().replace('-', '_')}") or ""
        for name in INPUTS
    }
    inputs = {name: value.strip() or DEFAULTS.get(name, "") for name, value in given.items()}
    for name in SWITCHES:
        _is_true(name, inputs[name])
    return inputs


def _is_true(name: str, value: str) -> bool:
    if value.lower() not in {"true", "false"}:
        raise UsageError(f"The input {name} is {value[:40]!r}", "Write true or false.")
    return value.lower() == "true"


def _payload(environ: Mapping[str, str]) -> Mapping[str, Any]:
    path = _required(environ, "GITHUB_EVENT_PATH")
    try:
        payload = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise UsageError(f"The event's file {path} cannot be read: {error.strerror}", _MENDING) from None
    except (ValueError, RecursionError):
        raise UsageError(f"The event's file {path} is not whole JSON", _MENDING) from None
    if not isinstance(payload, dict):
        raise UsageError(f"The event's file {path} holds no object", _MENDING)
    return payload


def _commits(event: str, payload: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[str | None, str]:
    """Give the commits to compare; a merge commit (GITHUB_SHA of a pull request) is never the head."""
    match event:
        case "pull_request" | "pull_request_target":
            return _sha(payload, "pull_request", "base", "sha"), _sha(payload, "pull_request", "head", "sha")
        case "merge_group":
            return _sha(payload, "merge_group", "base_sha"), _sha(payload, "merge_group", "head_sha")
        case "workflow_run":
            return None, _sha(payload, "workflow_run", "head_sha")
        case "push":
            before, after = _sha(payload, "before"), _sha(payload, "after")
            if after.strip("0"):
                return (before if before.strip("0") else None), after
    # Also a push that deletes a branch: GitHub then runs on the default branch.
    return None, _checked_sha(_required(environ, "GITHUB_SHA"), "GITHUB_SHA")


def _is_outside(event: str, payload: Mapping[str, Any]) -> bool:
    """Tell whether the head comes from another repository; a deleted fork (`null`) does."""
    match event:
        case "pull_request" | "pull_request_target":
            head = _at(payload, "pull_request", "head", "repo", "full_name")
            base = _at(payload, "pull_request", "base", "repo", "full_name")
        case "workflow_run":
            head = _at(payload, "workflow_run", "head_repository", "full_name")
            base = _at(payload, "repository", "full_name")
        case _:
            return False
    return head is None or head != base


def _number(payload: Mapping[str, Any]) -> int | None:
    number = _at(payload, "pull_request", "number")
    runs = _at(payload, "workflow_run", "pull_requests")
    if number is None and isinstance(runs, list) and runs and isinstance(runs[0], dict):
        number = runs[0].get("number")
    return number if isinstance(number, int) and not isinstance(number, bool) and number > 0 else None


def _sha(payload: Mapping[str, Any], *keys: str) -> str:
    return _checked_sha(_at(payload, *keys), f"event.{'.'.join(keys)}")


def _checked_sha(value: Any, name: str) -> str:
    """Refuse what is no object name: it is handed to git."""
    if not isinstance(value, str) or not _SHA.fullmatch(value):
        raise UsageError(f"{name} is {str(value)[:80]!r}, not a commit", _MENDING)
    return value


def _at(payload: Mapping[str, Any], *keys: str) -> Any:
    """Follow the keys; None where the way ends."""
    value: Any = payload
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _required(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name):
        raise UsageError(f"{name} is not set", "The Action runs on GitHub Actions; elsewhere use `promptci check`.")
    return environ[name]


def _count(environ: Mapping[str, str], name: str) -> int:
    value = environ.get(name) or "1"
    if not re.fullmatch(r"[0-9]{1,18}", value):
        raise UsageError(f"{name} is {value[:40]!r}, not a number", _MENDING)
    return int(value)


def _path(environ: Mapping[str, str], name: str) -> Path | None:
    return Path(environ[name]) if environ.get(name) else None
