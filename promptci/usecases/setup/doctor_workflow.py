"""Check the workflows that run promptci: triggers, permissions, timeouts, checkout, inputs and uploads."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from promptci.config.model import Config
from promptci.errors import InputError, Problem
from promptci.files import strict_yaml
from promptci.files.lines import decode_utf8
from promptci.git.snapshot import Snapshot
from promptci.providers.http import endpoint
from promptci.publish.runner.event import PRIVILEGED_EVENTS, PULL_REQUEST_EVENTS
from promptci.publish.runner.inputs import DEFAULTS, INPUTS

WorkflowFinding = tuple[Problem, Literal["error", "warning"]]
FILES = ".github/workflows/*.{yml,yaml}"
NEEDED = {"contents": "read", "pull-requests": "write", "statuses": "write"}
"""Permissions that the token needs; the last two only for the comment and the status."""
MAY_WRITE = {"pull-requests", "statuses", "checks"}
KEY = "OPENAI_API_KEY"
"""Environment variable that passes the input `api-key` on."""
DEFAULT_MINUTES = 360

_OURS = re.compile(r"(?:^|/)promptci(?:[@:]|$)")
_SHA = re.compile(r"@(?:sha256:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{64})$")
_HEAD = re.compile(r"github\.(?:head_ref|event\.(?:pull_request\.head|workflow_run\.head))")
_SECRET = re.compile(r"\$\{\{.*\}\}")
_RUNS_ALWAYS = re.compile(r"always\(\)|!\s*cancelled\(\)|failure\(\)")


def examine(snapshot: Snapshot, config: Config) -> Iterator[WorkflowFinding]:
    """Return what to fix in the workflows, each with file, line and level."""
    ours = 0
    for path in snapshot.glob(FILES):
        try:
            text = decode_utf8(snapshot.read(path) or b"", path)
            if "promptci" not in text:
                continue
            workflow = _Workflow(path=path, document=strict_yaml.load(text, path), config=config)
        except InputError as error:
            # For example an anchor: GitHub accepts more YAML than we do, so the file may still be valid.
            yield from ((problem, "warning") for problem in error.problems)
            ours += 1
            continue
        for job in workflow.jobs():
            ours += 1
            yield from job.examine()
    if not ours:
        message, fix = "no workflow runs promptci", "`promptci init` writes one; the README shows it."
        yield Problem(path=".github/workflows", message=message, hint=fix), "warning"


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    """Return a scalar as GitHub renders it; empty for anything else."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Workflow:
    """One file."""

    path: str
    document: strict_yaml.YamlDocument
    config: Config

    @property
    def value(self) -> Mapping[str, Any]:
        return _map(self.document.value)

    @property
    def triggers(self) -> set[str]:
        on = self.value.get("on")
        return set(on) if isinstance(on, Mapping | list) else {_text(on)}

    def jobs(self) -> Iterator["_Job"]:
        """Yield the jobs that run promptci."""
        for name, job in _map(self.value.get("jobs")).items():
            steps = _map(job).get("steps")
            known = [_map(step) for step in steps] if isinstance(steps, list) else []
            at = next((i for i, step in enumerate(known) if _is_ours(step)), None)
            if at is not None:
                yield _Job(workflow=self, name=name, value=_map(job), steps=known, at=at)


def _is_ours(step: Mapping[str, Any]) -> bool:
    """Return whether a step tests prompts; a step with `from` only posts the report of another run."""
    return not _map(step.get("with")).get("from") and bool(
        _OURS.search(_text(step.get("uses")).partition("@")[0] + "@")
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Job:
    """A job that runs promptci."""

    workflow: _Workflow
    name: str
    value: Mapping[str, Any]
    steps: list[Mapping[str, Any]]
    at: int
    """Index of the promptci step."""

    @property
    def ours(self) -> Mapping[str, Any]:
        return self.steps[self.at]

    @property
    def inputs(self) -> Mapping[str, Any]:
        return _map(self.ours.get("with"))

    def _input(self, name: str) -> str:
        return _text(self.inputs.get(name, DEFAULTS[name]))

    def flag(self, level: Literal["error", "warning"], message: str, fix: str, *path: str | int) -> WorkflowFinding:
        """Return a finding about a key of the job."""
        line = self.workflow.document.line_of(("jobs", self.name, *path))
        return Problem(path=self.workflow.path, line=line, message=message, hint=fix), level

    def flag_step(
        self, level: Literal["error", "warning"], message: str, fix: str, *path: str | int
    ) -> WorkflowFinding:
        """Return a finding about a key of the promptci step."""
        return self.flag(level, message, fix, "steps", self.at, *path)

    def examine(self) -> Iterator[WorkflowFinding]:
        """Yield all findings."""
        checks = (self._triggers, self._permissions, self._time, self._concurrency, self._checkout, self._pins)
        for check in (*checks, self._inputs, self._key, self._upload, self._step):
            yield from check()

    def _triggers(self) -> Iterator[WorkflowFinding]:
        triggers = self.workflow.triggers
        for name in sorted(triggers & set(PRIVILEGED_EVENTS)):
            message = f"`{name}` runs with secrets and a token that can write, also for a stranger's commits"
            if any(_HEAD.search(_text(_map(step.get("with")).get("ref"))) for step in self.steps):
                yield self.flag("error", f"{message}, which are checked out here", "Use `pull_request`.", "steps")
            elif _text(self.inputs.get("allow-untrusted")) == "true":
                fix = "Take `allow-untrusted` out, or let an environment ask a maintainer first."
                yield self.flag_step("error", message, fix, "with", "allow-untrusted")
            elif name == "pull_request_target" and not self.inputs.get("approval-label"):
                yield self.flag("error", f"{message}; promptci refuses to run over those", "Use `pull_request`.")
        if not triggers & {"pull_request", "merge_group", "workflow_dispatch", "schedule", "push", *PRIVILEGED_EVENTS}:
            message = "nothing starts this workflow that promptci knows"
            yield self.flag("warning", message, "Add `pull_request:` under `on:`.")

    def _permissions(self) -> Iterator[WorkflowFinding]:
        own = self.value.get("permissions")
        permissions = self.workflow.value.get("permissions") if own is None else own
        where = () if own is None else ("permissions",)
        if permissions is None:
            message = "no permissions are stated, so that the token has whatever the repository's default is"
            yield self.flag("warning", message, f"Add `permissions: {{{_format_permissions(NEEDED)}}}` to the job.")
            return
        if permissions == "write-all":
            message = "the token may write everything"
            yield self.flag("error", message, f"Write `permissions: {{{_format_permissions(NEEDED)}}}`.", *where)
            return
        named = (
            dict.fromkeys(NEEDED, "read")
            if permissions == "read-all"
            else {k: _text(v) for k, v in _map(permissions).items()}
        )
        comments = bool(self.workflow.triggers & set(PULL_REQUEST_EVENTS)) and self._input("comment") not in {
            "off",
            "false",
        }
        needed = {"contents": True, "pull-requests": comments, "statuses": self._input("status") == "true"}
        for name, level in NEEDED.items():
            if needed[name] and named.get(name) not in {level, "write"}:
                use = {"contents": "the checkout", "pull-requests": "the comment", "statuses": "the commit status"}[
                    name
                ]
                yield self.flag("error", f"{use} needs `{name}: {level}`", "Add it to the job's permissions.", *where)
        for name, level in named.items():
            if level == "write" and name not in MAY_WRITE:
                message = f"`{name}: write` is more than promptci needs, and a step of this job could misuse it"
                yield self.flag("warning", message, "Take it out, or give it to another job.", *where, name)

    def _time(self) -> Iterator[WorkflowFinding]:
        timeout = self.value.get("timeout-minutes")
        deadline = self.workflow.config.run.deadline_s / 60
        if timeout is None:
            message = f"no `timeout-minutes`: a job that hangs is billed for {DEFAULT_MINUTES}"
            yield self.flag("warning", message, f"Set it above `run.deadline`, to {deadline + 15:.0f}.")
        elif isinstance(timeout, int | float) and not isinstance(timeout, bool) and timeout <= deadline:
            message = (
                f"the job is killed after {timeout:g} minutes,"
                f" before `run.deadline` ({deadline:g}) ends it with a report"
            )
            fix = f"Set it to {deadline + 15:.0f}, or lower `run.deadline`."
            yield self.flag("error", message, fix, "timeout-minutes")

    def _concurrency(self) -> Iterator[WorkflowFinding]:
        own = self.value.get("concurrency")
        concurrency = self.workflow.value.get("concurrency") if own is None else own
        group = _text(concurrency.get("group") if isinstance(concurrency, Mapping) else concurrency)
        advice = "`group: promptci-${{ github.event.pull_request.number || github.ref }}`"
        if concurrency is None:
            message = (
                "no concurrency group: each push to a pull request pays for a run of its own, and an older may end last"
            )
            yield self.flag("warning", message, f"Add `concurrency:` with {advice} and `cancel-in-progress: true`.")
        elif "${{" not in group:
            message = f"all pull requests share the concurrency group `{group}` and cancel or await each other"
            yield self.flag("error", message, f"Use {advice}.", *(("concurrency",) if own is not None else ()))

    def _checkout(self) -> Iterator[WorkflowFinding]:
        before = list(enumerate(self.steps[: self.at]))
        at = next((i for i, step in before if _text(step.get("uses")).startswith("actions/checkout@")), None)
        if at is None:
            message = "the repository is not checked out before promptci runs"
            yield self.flag_step("error", message, "Add `uses: actions/checkout` with `fetch-depth: 0` before it.")
            return
        options = _map(self.steps[at].get("with"))
        if _text(options.get("fetch-depth")) != "0":
            message = "the checkout has one commit only, and base may be missing"
            yield self.flag("error", message, "Add `with: {fetch-depth: 0}`.", "steps", at, "with", "fetch-depth")
        if _text(options.get("persist-credentials")) != "false":
            message = "the checkout leaves the token where later steps can read it"
            yield self.flag("warning", message, "Add `persist-credentials: false` to its `with:`.", "steps", at, "with")

    def _pins(self) -> Iterator[WorkflowFinding]:
        for at, step in enumerate(self.steps):
            uses = _text(step.get("uses"))
            if uses and not uses.startswith("./") and not _SHA.search(uses):
                message = (
                    f"`{uses}` is not pinned by a full SHA: whoever can move the tag runs code beside your secrets"
                )
                yield self.flag(
                    "warning", message, "Write the commit's SHA, the tag as a comment.", "steps", at, "uses"
                )

    def _inputs(self) -> Iterator[WorkflowFinding]:
        for name in self.inputs:
            if name not in INPUTS:
                near = difflib.get_close_matches(name, INPUTS, n=1)
                fix = f"Did you mean `{near[0]}`?" if near else f"There are {', '.join(INPUTS)}."
                yield self.flag_step("error", f"promptci has no input `{name}`", fix, "with", name)

    def _key(self) -> Iterator[WorkflowFinding]:
        provider = self.workflow.config.provider
        variables: dict[str, Any] = {}
        for place in (self.workflow.value, self.value, self.ours):
            variables |= _map(place.get("env"))
        api_key, name = _text(self.inputs.get("api-key")), provider.api_key_env
        if api_key and not _SECRET.search(api_key):
            fix = "Make the key invalid at its provider, and write `${{ secrets.NAME }}`."
            yield self.flag_step("error", "the key itself stands in the file", fix, "with", "api-key")
        needs_key = provider.kind == "openai" and name and not endpoint.is_loopback(provider.base_url)
        if needs_key and name not in variables and not (api_key and name == KEY):
            message = f"nothing sets {name}, which `provider.api_key_env` names"
            if api_key:
                message += f"; the input `api-key` is handed on as {KEY}"
            yield self.flag_step("error", message, f"Add `env: {{{name}: ${{{{ secrets.{name} }}}}}}` to the step.")

    def _upload(self) -> Iterator[WorkflowFinding]:
        steps = [
            (i, s) for i, s in enumerate(self.steps) if _text(s.get("uses")).startswith("actions/upload-artifact@")
        ]
        if not steps:
            message = "the report is not uploaded, and is gone with the runner"
            yield self.flag_step(
                "warning", message, "Add `actions/upload-artifact` with `if: always()` after this step."
            )
        elif not any(_RUNS_ALWAYS.search(_text(step.get("if"))) for _, step in steps):
            message = "the report is uploaded only where promptci passed: the one that says why it did not is lost"
            yield self.flag("error", message, "Add `if: always()`.", "steps", steps[0][0])

    def _step(self) -> Iterator[WorkflowFinding]:
        if _text(self.ours.get("continue-on-error")) == "true" or _text(self.value.get("continue-on-error")) == "true":
            message = "`continue-on-error` lets a blocked change merge"
            yield self.flag_step(
                "error", message, "Take it out; to inform only, set `gate.mode: advise`.", "continue-on-error"
            )
        runner = _text(self.value.get("runs-on")).lower()
        if runner.startswith(("windows", "macos")):
            message = "a container action runs on Linux only"
            yield self.flag("error", message, "Write `runs-on: ubuntu-latest`.", "runs-on")


def _format_permissions(permissions: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {level}" for name, level in permissions.items())
