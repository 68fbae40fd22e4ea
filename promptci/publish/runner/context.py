"""Where and why the Action runs: the runner's variables and the event's payload, read once and checked."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from promptci.errors import UnsafeError, UsageError
from promptci.lazy_dataclass import dataclass
from promptci.publish.runner import event as events
from promptci.publish.runner import inputs as action_inputs

DEPENDABOT = "dependabot[bot]"
"""Its runs get a token that cannot write, and no secrets, like those of a fork."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ActionContext:
    """One run of the Action."""

    event: str
    """Name of the event, as `pull_request`."""
    payload: Mapping[str, Any]
    """The event's payload: untrusted data."""
    repository: str
    """`owner/name`."""
    pull_request: int | None
    """Number; None if the run belongs to none."""
    actor: str | None
    """Login of whoever started the run."""
    base_sha: str | None
    """None if the event names nothing to compare with; all zeros if there was no commit before."""
    head_sha: str
    run_id: int
    run_attempt: int
    server_url: str
    api_url: str
    is_fork: bool
    """True if the token cannot write and secrets are missing: a fork's pull request, Dependabot's."""
    is_dependabot: bool
    is_approved: bool
    """True if a maintainer's label lets this commit of a fork run with secrets."""
    workspace: Path
    output_path: Path | None
    summary_path: Path | None
    inputs: Mapping[str, str]
    """Every name of `inputs.INPUTS`."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "ActionContext":
        """Read the variables a runner sets.

        Raises
        ------
        UsageError
            Where a variable or the event's file is missing or makes no sense.
        RefusedError
            Where the event hands secrets to a run over a stranger's commits that no maintainer approved.
        """
        inputs = action_inputs.read_inputs(environ)
        event = events.check_event(_required(environ, "GITHUB_EVENT_NAME"))
        payload = events.load_event(_required(environ, "GITHUB_EVENT_PATH"))
        outside = events.is_outside(event, payload)
        approved = outside and events.is_labelled(event, payload, inputs["approval-label"])
        # With `from` nothing of those commits is read, and no model is asked.
        if event in events.PRIVILEGED_EVENTS and outside and not approved and not inputs["from"]:
            _refuse(event, inputs)
        base, head = events.get_commits(event, payload, environ.get("GITHUB_SHA", ""))
        dependabot = environ.get("GITHUB_ACTOR") == DEPENDABOT
        return cls(
            event=event,
            payload=payload,
            repository=_required(environ, "GITHUB_REPOSITORY"),
            pull_request=events.get_pull_request_number(payload),
            actor=environ.get("GITHUB_ACTOR") or None,
            base_sha=base,
            head_sha=head,
            run_id=_count(environ, "GITHUB_RUN_ID"),
            run_attempt=_count(environ, "GITHUB_RUN_ATTEMPT"),
            server_url=(environ.get("GITHUB_SERVER_URL") or "https://github.com").rstrip("/"),
            api_url=(environ.get("GITHUB_API_URL") or "https://api.github.com").rstrip("/"),
            is_fork=outside or dependabot,
            is_dependabot=dependabot,
            is_approved=approved,
            workspace=_find_workspace(environ),
            output_path=_path(environ, "GITHUB_OUTPUT"),
            summary_path=_path(environ, "GITHUB_STEP_SUMMARY"),
            inputs=inputs,
        )

    @property
    def run_url(self) -> str:
        """Address of this run."""
        return f"{self.server_url}/{self.repository}/actions/runs/{self.run_id}"

    @property
    def attempt_url(self) -> str:
        """Page of this attempt of the run."""
        return f"{self.run_url}/attempts/{self.run_attempt}"

    @property
    def is_change(self) -> bool:
        """Whether there are two revisions to compare: the event is about a change, or the inputs name one."""
        return self.event in events.CHANGE_EVENTS or _names_revision(self.inputs)

    @property
    def is_deletion(self) -> bool:
        """Whether a branch was deleted and nothing is left to test."""
        return events.is_deletion(self.event, self.payload)

    @property
    def check_name(self) -> str:
        """Name of the status and the check run, and key of the comment.

        Only runs that answer the same question share a name: another configuration, name, base or head is another
        check, and a run that compares nothing never stands in for the gate. Nor does a push: it compares with what
        was pushed before, which is less than a pull request's change, and nothing at all for a new branch or a tag.
        """
        parts = [*_list_name_parts(self.inputs), *_list_event_parts(self.event, self.inputs)]
        return f"promptci ({', '.join(parts)})" if parts else "promptci"

    @property
    def is_compared_at_merge_base(self) -> bool:
        """Whether head left the base's branch and is compared with where it did.

        A push and a merge queue replace what was there before, also where it is no ancestor.
        """
        return self.event not in ("push", "merge_group")

    def branch(self, side: str) -> str | None:
        """Return the name of the pull request's branch on one side; None if the inputs override it."""
        return events.get_branch(self.payload, side) if not self.inputs[side] else None

    def is_enabled(self, name: str) -> bool:
        """Return an input that is `true` or `false`."""
        return self.inputs[name] == "true"


def _list_name_parts(inputs: Mapping[str, str]) -> Iterator[str]:
    if inputs["name"] or inputs["config"] != action_inputs.DEFAULTS["config"]:
        yield inputs["name"] or inputs["config"]
    yield from (f"{side} {inputs[side]}" for side in ("base", "head") if inputs[side])


def _names_revision(inputs: Mapping[str, str]) -> bool:
    return bool(inputs["base"] or inputs["head"])


def _list_event_parts(event: str, inputs: Mapping[str, str]) -> Iterator[str]:
    if event == "push" and not _names_revision(inputs):
        yield "push"
    elif event not in events.CHANGE_EVENTS and not _names_revision(inputs):
        yield "nightly"


def _refuse(event: str, inputs: Mapping[str, str]) -> None:
    if inputs["allow-untrusted"] == "true":
        return
    label = inputs["approval-label"]
    fix = (
        f"A maintainer approves one commit by putting on the label {label!r}; "
        "this event is not that, and an approval lapses with the next push: take the label off and put it on again."
        if label
        else "Use the event pull_request, or have a maintainer approve single commits with the input approval-label."
    )
    raise UnsafeError(
        f"The event {event} runs with secrets, and these commits come from outside this repository",
        f"{fix} The input allow-untrusted lifts this for every commit.",
    )


def _required(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name):
        raise UsageError(f"{name} is not set", "The Action runs on GitHub Actions; elsewhere use `promptci check`.")
    return environ[name]


def _find_workspace(environ: Mapping[str, str]) -> Path:
    workspace = Path(environ.get("GITHUB_WORKSPACE") or ".")
    if not workspace.is_dir():
        fix = "Run actions/checkout before this step, and do not set GITHUB_WORKSPACE yourself."
        raise UsageError(f"The workspace {workspace} is not a folder", fix)
    return workspace


def _count(environ: Mapping[str, str], name: str) -> int:
    value = environ.get(name) or "1"
    if not re.fullmatch(r"[0-9]{1,18}", value):
        raise UsageError(f"{name} is {value[:40]!r}, not a number", events.HINT)
    return int(value)


def _path(environ: Mapping[str, str], name: str) -> Path | None:
    return Path(environ[name]) if environ.get(name) else None
