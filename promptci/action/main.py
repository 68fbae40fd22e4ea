"""The Action: environment → Context → the check → GitHub → exit code."""

import asyncio
import dataclasses
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from promptci.action import publication
from promptci.app import error_boundary, interruption
from promptci.app.progress import PlainProgress
from promptci.app.requests import CheckRequest, RunResult
from promptci.errors import OutputError, PromptciError, UnsafeError
from promptci.evaluation import check, results, run
from promptci.git.repo import Repo
from promptci.git.state_folder import check_output_folder
from promptci.lazy_import import lazy_import
from promptci.pipeline.environment import Environment, Trigger, UntrustedSource
from promptci.pipeline.shard import Shard
from promptci.publish import commit_status, publish_all
from promptci.publish.commit_status import CommitStatus
from promptci.publish.github import change_reviews, pygithub_client
from promptci.publish.github.api import GitHub
from promptci.publish.runner import file_ownership, workflow_commands
from promptci.publish.runner.context import ActionContext
from promptci.publish.runner.event import PRIVILEGED_EVENTS
from promptci.publish.runner.workflow_commands import safe_line
from promptci.redact import Redactor
from promptci.usecases.reporting import comment, merge
from promptci.verdict import Verdict

if TYPE_CHECKING:
    from promptci.report.terminal import case_lines, styled_text, terminal_text
else:
    case_lines = lazy_import("promptci.report.terminal.case_lines")
    styled_text = lazy_import("promptci.report.terminal.styled_text")
    terminal_text = lazy_import("promptci.report.terminal.terminal_text")

KEY = "OPENAI_API_KEY"
"""The name under which promptci.yml looks for the key by default; others are set with `env:` of the step."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main(environ: Mapping[str, str] = os.environ, out: TextIO = sys.stdout, err: TextIO = sys.stderr) -> int:
    """Run the Action and return its exit code."""
    on_main = threading.current_thread() is threading.main_thread()
    before = {sign: signal.signal(sign, _cancel) for sign in SIGNALS if on_main}
    try:
        return error_boundary.run_guarded(lambda: act(environ, out), environ, err)
    finally:
        for sign, handler in before.items():
            # Once cancelled, signals stay ignored up to the very end: Python removes handlers of ours before that.
            signal.signal(sign, handler if signal.getsignal(sign) is _cancel else signal.SIG_IGN)


def _ignore_signal(*_: object) -> None:
    """Ignore a further signal."""


def _cancel(*_: object) -> None:
    """End in order: a cancelled job gets SIGINT, 7.5 s later SIGTERM, and 2.5 s later it is killed.

    The second must not disturb what the first began: the journal is flushed and the files are handed back.
    """
    for sign in SIGNALS:
        signal.signal(sign, _ignore_signal)  # SIG_IGN here would make Python complain of one that has just come
    interruption.interrupt()


def act(environ: Mapping[str, str], out: TextIO) -> int:
    """Check the change's prompts, tell GitHub, and hand what was written to the workspace's owner.

    With the input `from`, post the comment of another run's report instead.
    """
    context = ActionContext.from_environ(environ)
    github = pygithub_client.connect(context)
    log = partial(_log, out, Redactor.from_environ(environ))
    if context.inputs["from"]:
        for line in comment.post_comment(context.workspace / context.inputs["from"], context, github, out).lines():
            log(line)
        return 0
    if context.is_approved:
        _require_current_approval(context, github)
    if context.is_deletion:
        log("a branch or tag was deleted: there is nothing to test, and no status is set")
        return 0
    folder = context.workspace / context.inputs["out"]
    try:
        check_output_folder(context.workspace, folder, inside=context.workspace)
        outcome = _check(context, environ, folder, log)
        if context.inputs["shard"]:  # one part of a run has no verdict, so there is nothing to tell
            if context.output_path is not None:
                workflow_commands.set_outputs(context.output_path, publication.shard_outputs(folder, context.workspace))
            return outcome.exit_code
        notes = publish_all.publish_all(context, publication.build_publication(outcome, context.workspace), github, out)
        for note in notes:
            log(note)
        if outcome.view is not None:
            verdict = case_lines.verdict_line(outcome.view.verdict, outcome.view.headline)
            lines = terminal_text.describe_run(outcome.view, terminal_text.Detail(command_line=False))
            for line in styled_text.render_plain([verdict, *lines]):
                log(line)
    except Exception as error:
        # Branch protection would wait for a status for ever, and an earlier one of this commit may be green.
        _set_error_status(context, github, log)
        if isinstance(error, OutputError) and context.summary_path:
            workflow_commands.append_summary(context.summary_path, error.summary)
        raise
    except (KeyboardInterrupt, asyncio.CancelledError):
        # No word to GitHub's servers: there are seconds left, and a status speaks for the commit, not for this run.
        publish_all.publish_all(context, publication.build_cancelled(folder, context.workspace), None, out)
        raise KeyboardInterrupt from None
    else:
        return outcome.exit_code
    finally:
        # Also git's own folder: a shallow clone's missing commits were fetched into it.
        ours = [folder, context.workspace / ".promptci", context.workspace / ".git"]
        file_ownership.chown_to_workspace(ours, context.workspace)


def _set_error_status(context: ActionContext, github: GitHub | None, log: Callable[[str], None]) -> None:
    """Set the commit status of a run that ended without a verdict."""
    if github is None or not context.is_enabled("status") or context.inputs["shard"]:
        return
    status = CommitStatus(
        state="error",
        context=context.check_name,
        description="promptci ended without a verdict; see the log of the run.",
        target_url=context.attempt_url,
    )
    if note := commit_status.publish_status(github, context.head_sha, status):
        log(note)


def _require_current_approval(context: ActionContext, github: GitHub | None) -> None:
    """Refuse where the pull request has moved on since a maintainer looked at it, or where that cannot be seen.

    The event's own commit is the one the label was put on; it is the only one that is ever read.
    """
    fix = "Review the pull request as it is now, take the label off and put it on again."
    if github is None or context.pull_request is None:
        raise UnsafeError("Whether the approval still stands cannot be asked without a token", fix)
    now = github.pull(context.pull_request).head_sha
    if now != context.head_sha:
        raise UnsafeError(
            f"The approval has lapsed: it was for {context.head_sha}, and the pull request is at {now} now", fix
        )


def _check(context: ActionContext, environ: Mapping[str, str], folder: Path, log: Callable[[str], None]) -> RunResult:
    env = Environment(
        environ=_with_key(environ, context),
        progress=PlainProgress(log),
        print=log,
        now=lambda: datetime.now(UTC),
        trigger=Trigger(
            repository=context.repository,
            pull_request=context.pull_request,
            actor=context.actor,
            run_url=context.run_url,
            scheduled=context.event == "schedule",
            untrusted_source=_untrusted_source(context),
            reviews=change_reviews.connect_reviews(context),
        ),
    )
    head = context.inputs["head"] or context.head_sha
    request = CheckRequest(
        root=context.workspace,
        config_path=context.inputs["config"],
        head=head,
        base_name=context.branch("base"),
        head_name=context.branch("head"),
        out=folder,
        shard=Shard.parse(context.inputs["shard"]) if context.inputs["shard"] else None,
    )
    # A nightly run, or one by hand, compares nothing: everything is tested as it stands.
    again = check.check if context.is_change else run.run
    try:
        if context.is_change:
            request = _with_base(request, context, head)
        if context.inputs["merge"]:
            return merge.merge_for_event([context.workspace / context.inputs["merge"]], again, request, env)
        return again(request, env)
    except PromptciError as error:
        if request.shard is not None or isinstance(error, OutputError):
            raise
        return results.write_failure(error, request, env)


def _with_base(request: CheckRequest, context: ActionContext, head: str) -> CheckRequest:
    """Set the revision to compare with: the input, else the event's; None: where head left the default branch."""
    base = context.inputs["base"] or context.base_sha
    if context.inputs["base"] or base is None or not context.is_compared_at_merge_base:
        return dataclasses.replace(request, base=base)
    bases = Repo.discover(context.workspace).merge_bases(base, head)
    name = (request.base_name or "merge base") + check.describe_choice(len(bases))
    return dataclasses.replace(request, base=bases[0], base_name=name if len(bases) > 1 else request.base_name)


def _untrusted_source(context: ActionContext) -> UntrustedSource | None:
    """Return whose commits these are where GitHub gives no secrets; None where it does."""
    if not context.is_dependabot and (not context.is_fork or context.event in PRIVILEGED_EVENTS):
        return None
    label = context.inputs["approval-label"]
    return UntrustedSource(
        description="pull requests of Dependabot" if context.is_dependabot else "pull requests from forks",
        remedy=(
            "A maintainer who has read the change can run it for exactly this commit"
            + (f" by putting the label `{label}` on the pull request." if label else ", see docs/github.md.")
        ),
        verdict=Verdict(context.inputs["on-fork"]),
    )


def _with_key(environ: Mapping[str, str], context: ActionContext) -> Mapping[str, str]:
    """Hand the input `api-key` on under the name that promptci.yml asks for by default."""
    key = context.inputs["api-key"]
    return {**environ, KEY: key} if key else environ


def _log(out: TextIO, redactor: Redactor, line: str) -> None:
    out.write(safe_line(redactor.redact(line)) + "\n")
    out.flush()
