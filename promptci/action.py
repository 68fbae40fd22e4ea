"""The Action: environment → Context → the check → GitHub → exit code."""

import dataclasses
import os
import signal
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from promptci.errors import PromptciError
from promptci.git.repo import Repo
from promptci.jobs import boundary, bulletin, check, evaluate
from promptci.jobs.console import PlainProgress
from promptci.jobs.world import Errand, Outcome, World
from promptci.publish import everything, owner
from promptci.publish.context import Context
from promptci.publish.github import GitHub
from promptci.publish.pygithub_client import PyGithubClient
from promptci.publish.workflow import safe_line

KEY = "OPENAI_API_KEY"
"""The name under which promptci.yml looks for the key by default; others are set with `env:` of the step."""


def main(environ: Mapping[str, str] = os.environ, out: TextIO = sys.stdout, err: TextIO = sys.stderr) -> int:
    """Run the Action and give its exit code."""
    if threading.current_thread() is threading.main_thread():
        # A cancelled job gets SIGINT, then SIGTERM, then is killed: both must still flush the journal and give the
        # files back to their owner.
        signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    return boundary.run(lambda: act(environ, out), environ, err)


def act(environ: Mapping[str, str], out: TextIO) -> int:
    """Check the pull request's prompts, tell GitHub, and hand what was written to the workspace's owner."""
    context = Context.from_environ(environ)
    folder = context.workspace / context.inputs["out"]
    try:
        outcome = _check(context, environ, folder, out)
        notes = everything.announce(context, bulletin.make(outcome, context.workspace), _github(context), out)
        for note in notes:
            _say(out, note)
        if outcome.view is not None:
            _say(out, f"{outcome.view.verdict}: {outcome.view.headline}")
        return outcome.exit_code
    finally:
        owner.hand_over([folder, context.workspace / ".promptci"], context.workspace)


def _check(context: Context, environ: Mapping[str, str], folder: Path, out: TextIO) -> Outcome:
    def say(line: str) -> None:
        _say(out, line)

    world = World(
        environ=_with_key(environ, context),
        progress=PlainProgress(say),
        say=say,
        now=lambda: datetime.now(UTC),
        repository=context.repository,
        pull_request=context.pull_request,
    )
    head = context.inputs["head"] or context.head_sha
    errand = Errand(
        root=context.workspace,
        config_path=context.inputs["config"],
        head=head,
        base_name=_branch(context, "base"),
        head_name=_branch(context, "head"),
        out=folder,
    )
    try:
        return check.check(dataclasses.replace(errand, base=_base(context, head)), world)
    except PromptciError as error:
        return evaluate.failed(error, errand, world)


def _base(context: Context, head: str) -> str | None:
    """Give the revision to compare with: the input, else where head left the event's base; None: the default."""
    if context.inputs["base"]:
        return context.inputs["base"]
    if context.base_sha is None:
        return None
    return Repo.discover(context.workspace).merge_base(context.base_sha, head)


def _branch(context: Context, side: str) -> str | None:
    """Give the name of the pull request's branch on one side, for the report; None where the inputs say otherwise."""
    pull = context.payload.get("pull_request")
    ref = pull.get(side, {}).get("ref") if isinstance(pull, Mapping) else None
    return ref if isinstance(ref, str) and not context.inputs[side] else None


def _with_key(environ: Mapping[str, str], context: Context) -> Mapping[str, str]:
    """Hand the input `api-key` on under the name that promptci.yml asks for by default."""
    key = context.inputs["api-key"]
    return {**environ, KEY: key} if key else environ


def _github(context: Context) -> GitHub | None:
    token = context.inputs["github-token"]
    if not token:
        return None
    return PyGithubClient(token, context.repository, context.api_url)


def _say(out: TextIO, line: str) -> None:
    out.write(safe_line(line) + "\n")
    out.flush()


if __name__ == "__main__":
    raise SystemExit(main())
