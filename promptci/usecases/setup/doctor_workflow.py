"""Look over the workflows that run promptci: what GitHub lets them do, and what a change of theirs would miss."""

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

Found = tuple[Problem, Literal["error", "warning"]]
FILES = ".github/workflows/*.{yml,yaml}"
NEEDED = {"contents": "read", "pull-requests": "write", "statuses": "write"}
"""What the token must be allowed to do; the last two where the comment and the status are wanted."""
MAY_WRITE = {"pull-requests", "statuses", "checks"}
KEY = "OPENAI_API_KEY"
"""The name under which the input `api-key` is handed on."""
DEFAULT_MINUTES = 360

_OURS = re.compile(r"(?:^|/)promptci(?:[@:]|$)")
_SHA = re.compile(r"@(?:sha256:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{64})$")
_HEAD = re.compile(r"github\.(?:head_ref|event\.(?:pull_request\.head|workflow_run\.head))")
_SECRET = re.compile(r"\$\{\{.*\}\}")
_RUNS_ALWAYS = re.compile(r"always\(\)|!\s*cancelled\(\)|failure\(\)")


def examine(snapshot: Snapshot, config: Config) -> Iterator[Found]:
    """Return what to fix in the workflows, each with file, line and level."""
    ours = 0
    for path in snapshot.glob(FILES):
        try:
            text = decode_utf8(snapshot.read(path) or b"", path)
            if "promptci" not in text:
                continue
            workflow = _Workflow(path=path, document=strict_yaml.load(text, path), config=config)
        except InputError as error:
            # Such as an anchor: GitHub reads more than we do, so that it may be a good file all the same.
            yield from ((problem, "warning") for problem in error.problems)
            ours += 1
            continue
        for job in workflow.jobs():
            ours += 1
            yield from job.examine()
    if not ours:
        what, fix = "no workflow runs promptci", "`promptci init` writes one; the README shows it."
        yield Problem(path=".github/workflows", message=what, hint=fix), "warning"


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    """Return a scalar as GitHub would; nothing for what is none."""
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
        """Yield the jobs with a step that is promptci."""
        for name, job in _map(self.value.get("jobs")).items():
            steps = _map(job).get("steps")
            known = [_map(step) for step in steps] if isinstance(steps, list) else []
            at = next((i for i, step in enumerate(known) if _is_ours(step)), None)
            if at is not None:
                yield _Job(workflow=self, name=name, value=_map(job), steps=known, at=at)


def _is_ours(step: Mapping[str, Any]) -> bool:
    """Return whether a step tests prompts; one with `from` only posts what another run wrote."""
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
    """Which step is promptci."""

    @property
    def ours(self) -> Mapping[str, Any]:
        return self.steps[self.at]

    @property
    def inputs(self) -> Mapping[str, Any]:
        return _map(self.ours.get("with"))

    def _input(self, name: str) -> str:
        return _text(self.inputs.get(name, DEFAULTS[name]))

    def found(self, level: Literal["error", "warning"], what: str, fix: str, *path: str | int) -> Found:
        """Return a finding at a place of the job."""
        line = self.workflow.document.line_of(("jobs", self.name, *path))
        return Problem(path=self.workflow.path, line=line, message=what, hint=fix), level

    def step(self, level: Literal["error", "warning"], what: str, fix: str, *path: str | int) -> Found:
        """Return a finding at a place of promptci's step."""
        return self.found(level, what, fix, "steps", self.at, *path)

    def examine(self) -> Iterator[Found]:
        """Yield all findings."""
        checks = (self._triggers, self._permissions, self._time, self._concurrency, self._checkout, self._pins)
        for check in (*checks, self._inputs, self._key, self._upload, self._step):
            yield from check()

    def _triggers(self) -> Iterator[Found]:
        triggers = self.workflow.triggers
        for name in sorted(triggers & set(PRIVILEGED_EVENTS)):
            what = f"`{name}` runs with secrets and a token that can write, also for a stranger's commits"
            if any(_HEAD.search(_text(_map(step.get("with")).get("ref"))) for step in self.steps):
                yield self.found("error", f"{what}, which are checked out here", "Use `pull_request`.", "steps")
            elif _text(self.inputs.get("allow-untrusted")) == "true":
                fix = "Take `allow-untrusted` out, or let an environment ask a maintainer first."
                yield self.step("error", what, fix, "with", "allow-untrusted")
            elif name == "pull_request_target" and not self.inputs.get("approval-label"):
                yield self.found("error", f"{what}; promptci refuses to run over those", "Use `pull_request`.")
        if not triggers & {"pull_request", "merge_group", "workflow_dispatch", "schedule", "push", *PRIVILEGED_EVENTS}:
            what = "nothing starts this workflow that promptci knows"
            yield self.found("warning", what, "Add `pull_request:` under `on:`.")

    def _permissions(self) -> Iterator[Found]:
        own = self.value.get("permissions")
        given = self.workflow.value.get("permissions") if own is None else own
        where = () if own is None else ("permissions",)
        if given is None:
            what = "no permissions are stated, so that the token has whatever the repository's default is"
            yield self.found("warning", what, f"Add `permissions: {{{_spelled(NEEDED)}}}` to the job.")
            return
        if given == "write-all":
            what = "the token may write everything"
            yield self.found("error", what, f"Write `permissions: {{{_spelled(NEEDED)}}}`.", *where)
            return
        named = dict.fromkeys(NEEDED, "read") if given == "read-all" else {k: _text(v) for k, v in _map(given).items()}
        comments = bool(self.workflow.triggers & set(PULL_REQUEST_EVENTS)) and self._input("comment") not in {
            "off",
            "false",
        }
        wanted = {"contents": True, "pull-requests": comments, "statuses": self._input("status") == "true"}
        for name, level in NEEDED.items():
            if wanted[name] and named.get(name) not in {level, "write"}:
                use = {"contents": "the checkout", "pull-requests": "the comment", "statuses": "the commit status"}[
                    name
                ]
                yield self.found("error", f"{use} needs `{name}: {level}`", "Add it to the job's permissions.", *where)
        for name, level in named.items():
            if level == "write" and name not in MAY_WRITE:
                what = f"`{name}: write` is more than promptci needs, and a step of this job could misuse it"
                yield self.found("warning", what, "Take it out, or give it to another job.", *where, name)

    def _time(self) -> Iterator[Found]:
        given = self.value.get("timeout-minutes")
        deadline = self.workflow.config.run.deadline_s / 60
        if given is None:
            what = f"no `timeout-minutes`: a job that hangs is billed for {DEFAULT_MINUTES}"
            yield self.found("warning", what, f"Set it above `run.deadline`, to {deadline + 15:.0f}.")
        elif isinstance(given, int | float) and not isinstance(given, bool) and given <= deadline:
            what = (
                f"the job is killed after {given:g} minutes, before `run.deadline` ({deadline:g}) ends it with a report"
            )
            fix = f"Set it to {deadline + 15:.0f}, or lower `run.deadline`."
            yield self.found("error", what, fix, "timeout-minutes")

    def _concurrency(self) -> Iterator[Found]:
        own = self.value.get("concurrency")
        given = self.workflow.value.get("concurrency") if own is None else own
        group = _text(given.get("group") if isinstance(given, Mapping) else given)
        advice = "`group: promptci-${{ github.event.pull_request.number || github.ref }}`"
        if given is None:
            what = (
                "no concurrency group: each push to a pull request pays for a run of its own, and an older may end last"
            )
            yield self.found("warning", what, f"Add `concurrency:` with {advice} and `cancel-in-progress: true`.")
        elif "${{" not in group:
            what = f"all pull requests share the concurrency group `{group}` and cancel or await each other"
            yield self.found("error", what, f"Use {advice}.", *(("concurrency",) if own is not None else ()))

    def _checkout(self) -> Iterator[Found]:
        before = list(enumerate(self.steps[: self.at]))
        at = next((i for i, step in before if _text(step.get("uses")).startswith("actions/checkout@")), None)
        if at is None:
            what = "the repository is not checked out before promptci runs"
            yield self.step("error", what, "Add `uses: actions/checkout` with `fetch-depth: 0` before it.")
            return
        options = _map(self.steps[at].get("with"))
        if _text(options.get("fetch-depth")) != "0":
            what = "the checkout has one commit only, and base may be missing"
            yield self.found("error", what, "Add `with: {fetch-depth: 0}`.", "steps", at, "with", "fetch-depth")
        if _text(options.get("persist-credentials")) != "false":
            what = "the checkout leaves the token where later steps can read it"
            yield self.found("warning", what, "Add `persist-credentials: false` to its `with:`.", "steps", at, "with")

    def _pins(self) -> Iterator[Found]:
        for at, step in enumerate(self.steps):
            uses = _text(step.get("uses"))
            if uses and not uses.startswith("./") and not _SHA.search(uses):
                what = f"`{uses}` is not pinned by a full SHA: whoever can move the tag runs code beside your secrets"
                yield self.found("warning", what, "Write the commit's SHA, the tag as a comment.", "steps", at, "uses")

    def _inputs(self) -> Iterator[Found]:
        for name in self.inputs:
            if name not in INPUTS:
                near = difflib.get_close_matches(name, INPUTS, n=1)
                fix = f"Did you mean `{near[0]}`?" if near else f"There are {', '.join(INPUTS)}."
                yield self.step("error", f"promptci has no input `{name}`", fix, "with", name)

    def _key(self) -> Iterator[Found]:
        provider = self.workflow.config.provider
        variables: dict[str, Any] = {}
        for place in (self.workflow.value, self.value, self.ours):
            variables |= _map(place.get("env"))
        given, name = _text(self.inputs.get("api-key")), provider.api_key_env
        if given and not _SECRET.search(given):
            fix = "Make the key invalid at its provider, and write `${{ secrets.NAME }}`."
            yield self.step("error", "the key itself stands in the file", fix, "with", "api-key")
        wanted = provider.kind == "openai" and name and not endpoint.is_loopback(provider.base_url)
        if wanted and name not in variables and not (given and name == KEY):
            what = f"nothing sets {name}, which `provider.api_key_env` names"
            if given:
                what += f"; the input `api-key` is handed on as {KEY}"
            yield self.step("error", what, f"Add `env: {{{name}: ${{{{ secrets.{name} }}}}}}` to the step.")

    def _upload(self) -> Iterator[Found]:
        steps = [
            (i, s) for i, s in enumerate(self.steps) if _text(s.get("uses")).startswith("actions/upload-artifact@")
        ]
        if not steps:
            what = "the report is not uploaded, and is gone with the runner"
            yield self.step("warning", what, "Add `actions/upload-artifact` with `if: always()` after this step.")
        elif not any(_RUNS_ALWAYS.search(_text(step.get("if"))) for _, step in steps):
            what = "the report is uploaded only where promptci passed: the one that says why it did not is lost"
            yield self.found("error", what, "Add `if: always()`.", "steps", steps[0][0])

    def _step(self) -> Iterator[Found]:
        if _text(self.ours.get("continue-on-error")) == "true" or _text(self.value.get("continue-on-error")) == "true":
            what = "`continue-on-error` lets a blocked change merge"
            yield self.step("error", what, "Take it out; to inform only, set `gate.mode: advise`.", "continue-on-error")
        runner = _text(self.value.get("runs-on")).lower()
        if runner.startswith(("windows", "macos")):
            what = "a container action runs on Linux only"
            yield self.found("error", what, "Write `runs-on: ubuntu-latest`.", "runs-on")


def _spelled(permissions: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {level}" for name, level in permissions.items())
