"""Check the workflows that run promptci: triggers, permissions, timeouts, checkout, inputs and uploads."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from promptci.config.model import Config
from promptci.errors import InputError, Problem
from promptci.files import strict_yaml
from promptci.files.lines import decode_utf8
from promptci.git.snapshot import Snapshot
from promptci.providers.http import endpoint
from promptci.publish.runner.event import PRIVILEGED_EVENTS, PULL_REQUEST_EVENTS
from promptci.publish.runner.inputs import INPUTS
from promptci.publish.runner.workflow_file import PromptciJob, Workflow, as_mapping, as_text
from promptci.wording import suggest

Level = Literal["error", "warning"]
WorkflowFinding = tuple[Problem, Level]
FILES = ".github/workflows/*.{yml,yaml}"
NEEDED = {"contents": "read", "pull-requests": "write", "statuses": "write"}
"""Permissions that the token needs; the last two only for the comment and the status."""
MAY_WRITE = {"pull-requests", "statuses", "checks"}
KEY = "OPENAI_API_KEY"
"""Environment variable that passes the input `api-key` on."""
DEFAULT_MINUTES = 360

_NO_RELEASE = (
    " Where that prints nothing, there is no such release yet:"
    " `git ls-remote https://github.com/promptci/promptci HEAD` has a commit."
)
"""What else to write for our own Action."""
_TAGGED = re.compile(r"(?P<repository>[\w-]+/[\w.-]+)(?:/[\w./-]+)?@(?P<tag>[\w.-]+)")
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
            workflow = Workflow(path=path, document=strict_yaml.load(text, path))
        except InputError as error:
            # For example an anchor: GitHub accepts more YAML than we do, so the file may still be valid.
            yield from ((problem, "warning") for problem in error.problems)
            ours += 1
            continue
        for job in workflow.jobs():
            ours += 1
            yield from _check_job(job, config)
    if not ours:
        message, fix = "no workflow runs promptci", "`promptci init` writes one; the README shows it."
        yield Problem(path=".github/workflows", message=message, hint=fix), "warning"


def _check_job(job: PromptciJob, config: Config) -> Iterator[WorkflowFinding]:
    yield from _check_triggers(job)
    yield from _check_permissions(job)
    yield from _check_timeout(job, config)
    yield from _check_concurrency(job)
    yield from _check_checkout(job)
    yield from _check_pins(job)
    yield from _check_inputs(job)
    yield from _check_key(job, config)
    yield from _check_address(job, config)
    yield from _check_upload(job)
    yield from _check_step(job)


def _flag(job: PromptciJob, level: Level, message: str, fix: str, *path: str | int) -> WorkflowFinding:
    """Return a finding about a key of the job."""
    return Problem(path=job.workflow.path, line=job.line_of(*path), message=message, hint=fix), level


def _flag_step(job: PromptciJob, level: Level, message: str, fix: str, *path: str | int) -> WorkflowFinding:
    """Return a finding about a key of the promptci step."""
    return _flag(job, level, message, fix, "steps", job.step_index, *path)


def _check_triggers(job: PromptciJob) -> Iterator[WorkflowFinding]:
    triggers = job.workflow.triggers
    for name in sorted(triggers & set(PRIVILEGED_EVENTS)):
        message = f"`{name}` runs with secrets and a token that can write, also for a stranger's commits"
        if any(_HEAD.search(as_text(as_mapping(step.get("with")).get("ref"))) for step in job.steps):
            yield _flag(job, "error", f"{message}, which are checked out here", "Use `pull_request`.", "steps")
        elif as_text(job.inputs.get("allow-untrusted")) == "true":
            fix = "Take `allow-untrusted` out, or let an environment ask a maintainer first."
            yield _flag_step(job, "error", message, fix, "with", "allow-untrusted")
        elif name == "pull_request_target" and not job.inputs.get("approval-label"):
            yield _flag(job, "error", f"{message}; promptci refuses to run over those", "Use `pull_request`.")
    if not triggers & {"pull_request", "merge_group", "workflow_dispatch", "schedule", "push", *PRIVILEGED_EVENTS}:
        message = "nothing starts this workflow that promptci knows"
        yield _flag(job, "warning", message, "Add `pull_request:` under `on:`.")


def _check_permissions(job: PromptciJob) -> Iterator[WorkflowFinding]:
    permissions, is_own = job.setting("permissions")
    where = ("permissions",) if is_own else ()
    if permissions is None:
        message = "no permissions are stated, so that the token has whatever the repository's default is"
        yield _flag(job, "warning", message, f"Add `permissions: {{{_format_permissions(NEEDED)}}}` to the job.")
        return
    if permissions == "write-all":
        message = "the token may write everything"
        yield _flag(job, "error", message, f"Write `permissions: {{{_format_permissions(NEEDED)}}}`.", *where)
        return
    named = (
        dict.fromkeys(NEEDED, "read")
        if permissions == "read-all"
        else {k: as_text(v) for k, v in as_mapping(permissions).items()}
    )
    comments = bool(job.workflow.triggers & set(PULL_REQUEST_EVENTS)) and job.input("comment") not in {
        "off",
        "false",
    }
    needed = {"contents": True, "pull-requests": comments, "statuses": job.input("status") == "true"}
    for name, level in NEEDED.items():
        if needed[name] and named.get(name) not in {level, "write"}:
            use = {"contents": "the checkout", "pull-requests": "the comment", "statuses": "the commit status"}[name]
            yield _flag(job, "error", f"{use} needs `{name}: {level}`", "Add it to the job's permissions.", *where)
    for name, level in named.items():
        if level == "write" and name not in MAY_WRITE:
            message = f"`{name}: write` is more than promptci needs, and a step of this job could misuse it"
            yield _flag(job, "warning", message, "Take it out, or give it to another job.", *where, name)


def _check_timeout(job: PromptciJob, config: Config) -> Iterator[WorkflowFinding]:
    timeout = job.value.get("timeout-minutes")
    deadline = config.run.deadline_s / 60
    if timeout is None:
        message = f"no `timeout-minutes`: a job that hangs is billed for {DEFAULT_MINUTES}"
        yield _flag(job, "warning", message, f"Set it above `run.deadline`, to {deadline + 15:.0f}.")
    elif isinstance(timeout, int | float) and not isinstance(timeout, bool) and timeout <= deadline:
        message = (
            f"the job is killed after {timeout:g} minutes, before `run.deadline` ({deadline:g}) ends it with a report"
        )
        fix = f"Set it to {deadline + 15:.0f}, or lower `run.deadline`."
        yield _flag(job, "error", message, fix, "timeout-minutes")


def _check_concurrency(job: PromptciJob) -> Iterator[WorkflowFinding]:
    concurrency, is_own = job.setting("concurrency")
    group = as_text(concurrency.get("group") if isinstance(concurrency, Mapping) else concurrency)
    advice = "`group: promptci-${{ github.event.pull_request.number || github.ref }}`"
    if concurrency is None:
        message = (
            "no concurrency group: each push to a pull request pays for a run of its own, and an older may end last"
        )
        yield _flag(job, "warning", message, f"Add `concurrency:` with {advice} and `cancel-in-progress: true`.")
    elif "${{" not in group:
        message = f"all pull requests share the concurrency group `{group}` and cancel or await each other"
        yield _flag(job, "error", message, f"Use {advice}.", *(("concurrency",) if is_own else ()))


def _check_checkout(job: PromptciJob) -> Iterator[WorkflowFinding]:
    before = list(enumerate(job.steps[: job.step_index]))
    at = next((i for i, step in before if as_text(step.get("uses")).startswith("actions/checkout@")), None)
    if at is None:
        message = "the repository is not checked out before promptci runs"
        yield _flag_step(job, "error", message, "Add `uses: actions/checkout` with `fetch-depth: 0` before it.")
        return
    options = as_mapping(job.steps[at].get("with"))
    if as_text(options.get("fetch-depth")) != "0":
        message = "the checkout has one commit only, and base may be missing"
        yield _flag(job, "error", message, "Add `with: {fetch-depth: 0}`.", "steps", at, "with", "fetch-depth")
    if as_text(options.get("persist-credentials")) != "false":
        message = "the checkout leaves the token where later steps can read it"
        yield _flag(job, "warning", message, "Add `persist-credentials: false` to its `with:`.", "steps", at, "with")


def _check_pins(job: PromptciJob) -> Iterator[WorkflowFinding]:
    for at, step in enumerate(job.steps):
        uses = as_text(step.get("uses"))
        if uses and not uses.startswith("./") and not _SHA.search(uses):
            message = f"`{uses}` is not pinned by a full SHA: whoever can move the tag runs code beside your secrets"
            fix = f"Write the commit's SHA, the tag as a comment.{_describe_lookup(uses)}"
            if uses.startswith("promptci/promptci"):
                fix = f"The workflow runs as it is; pin it before you make the check required. {fix}{_NO_RELEASE}"
            yield _flag(job, "warning", message, fix, "steps", at, "uses")


def _describe_lookup(uses: str) -> str:
    """Return how to find the commit of a tag; empty for what is no action of GitHub's."""
    match = _TAGGED.fullmatch(uses)
    if match is None:
        return ""
    tag = match["tag"]
    return f" The last line of `git ls-remote https://github.com/{match['repository']} {tag} '{tag}^{{}}'` has it."


def _check_inputs(job: PromptciJob) -> Iterator[WorkflowFinding]:
    for name in job.inputs:
        if name not in INPUTS:
            fix = suggest(name, INPUTS) or f"There are {', '.join(INPUTS)}."
            yield _flag_step(job, "error", f"promptci has no input `{name}`", fix, "with", name)


def _check_key(job: PromptciJob, config: Config) -> Iterator[WorkflowFinding]:
    variables: dict[str, Any] = {}
    for place in (job.workflow.value, job.value, job.step):
        variables |= as_mapping(place.get("env"))
    api_key = as_text(job.inputs.get("api-key"))
    if api_key and not _SECRET.search(api_key):
        fix = "Make the key invalid at its provider, and write `${{ secrets.NAME }}`."
        yield _flag_step(job, "error", "the key itself stands in the file", fix, "with", "api-key")
    asked = [options for options in config.endpoints if options.kind == "openai" and options.api_key_env]
    remote = {options.api_key_env for options in asked if not endpoint.is_loopback(options.base_url)}
    for name in dict.fromkeys(options.api_key_env for options in asked):
        if name in variables or (name == KEY and (api_key or name not in remote)):  # the default: nobody asked for it
            continue
        key = "provider" if name == config.provider.api_key_env else "overrides[].provider"
        message = f"nothing sets {name}, which `{key}.api_key_env` names"
        if api_key:
            message += f"; the input `api-key` is handed on as {KEY}"
        fix = f"Add `env: {{{name}: ${{{{ secrets.{name} }}}}}}` to the step."
        if name in remote:
            yield _flag_step(job, "error", message, fix)
        else:
            yield _flag_step(job, "warning", message, f'{fix} If the endpoint needs no key, set `api_key_env: ""`.')


def _check_address(job: PromptciJob, config: Config) -> Iterator[WorkflowFinding]:
    """Flag an endpoint on the runner, which the container of the Action cannot reach."""
    if job.is_composite:
        return
    for options in config.endpoints:
        if options.kind == "openai" and endpoint.is_loopback(options.base_url):
            message = f"the Action runs in a container and cannot reach {options.base_url} on the runner"
            fix = "Start the server under `services:` of the job and use its name, such as `http://vllm:8000/v1`, or"
            fix += " write `promptci/promptci/composite`, which runs on the runner itself."
            yield _flag_step(job, "warning", message, fix)


def _check_upload(job: PromptciJob) -> Iterator[WorkflowFinding]:
    steps = [(i, s) for i, s in enumerate(job.steps) if as_text(s.get("uses")).startswith("actions/upload-artifact@")]
    if not steps:
        message = "the report is not uploaded, and is gone with the runner"
        yield _flag_step(job, "warning", message, "Add `actions/upload-artifact` with `if: always()` after this step.")
    elif not any(_RUNS_ALWAYS.search(as_text(step.get("if"))) for _, step in steps):
        message = "the report is uploaded only where promptci passed: the one that says why it did not is lost"
        yield _flag(job, "error", message, "Add `if: always()`.", "steps", steps[0][0])


def _check_step(job: PromptciJob) -> Iterator[WorkflowFinding]:
    if as_text(job.step.get("continue-on-error")) == "true" or as_text(job.value.get("continue-on-error")) == "true":
        message = "`continue-on-error` lets a blocked change merge"
        yield _flag_step(
            job, "error", message, "Take it out; to inform only, set `gate.mode: advise`.", "continue-on-error"
        )
    runner = as_text(job.value.get("runs-on")).lower()
    if not job.is_composite and runner.startswith(("windows", "macos")):
        message = "the container Action runs on Linux only"
        hint = "Write `runs-on: ubuntu-latest`, or use the composite Action (`promptci/promptci/composite@…`)."
        yield _flag(job, "error", message, hint, "runs-on")


def _format_permissions(permissions: Mapping[str, str]) -> str:
    return ", ".join(f"{name}: {level}" for name, level in permissions.items())
