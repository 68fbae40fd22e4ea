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
from promptci.redact import Redactor

KEY = "OPENAI_API_KEY"
"""The name under which promptci.yml looks for the key by default; others are set with `env:` of the step."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main(environ: Mapping[str, str] = os.environ, out: TextIO = sys.stdout, err: TextIO = sys.stderr) -> int:
    """Run the Action and give its exit code."""
    on_main = threading.current_thread() is threading.main_thread()
    before = {sign: signal.signal(sign, _cancel) for sign in SIGNALS if on_main}
    try:
        return boundary.run(lambda: act(environ, out), environ, err)
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


def _cancel(*_: object) -> None:
    """End in order: a cancelled job gets SIGINT, 7.5 s later SIGTERM, and 2.5 s later it is killed.

    The second must not disturb what the first began: the journal is flushed and the files are handed back. While a
    model is asked the calls are cancelled; an exception out of nowhere could strike in the middle of an import.
    """
    for sign in SIGNALS:
        signal.signal(sign, signal.SIG_IGN)
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise KeyboardInterrupt from None
    for task in asyncio.all_tasks(loop):
        loop.call_soon_threadsafe(task.cancel)


def act(environ: Mapping[str, str], out: TextIO) -> int:
    """Check the pull request's prompts, tell GitHub, and hand what was written to the workspace's owner."""
    context = Context.from_environ(environ)
    folder = context.workspace / context.inputs["out"]
    say = partial(_say, out, Redactor.from_environ(environ))
    try:
        outcome = _check(context, environ, folder, say)
        notes = everything.announce(context, bulletin.make(outcome, context.workspace), _github(context), out)
        for note in notes:
            say(note)
        if outcome.view is not None:
            say(f"{outcome.view.verdict}: {outcome.view.headline}")
    except (KeyboardInterrupt, asyncio.CancelledError):
        # No word to GitHub's servers: there are seconds left, and a status speaks for the commit, not for this run.
        everything.announce(context, bulletin.cancelled(folder, context.workspace), None, out)
        raise KeyboardInterrupt from None
    else:
        return outcome.exit_code
    finally:
        owner.hand_over([folder, context.workspace / ".promptci"], context.workspace)


def _check(context: Context, environ: Mapping[str, str], folder: Path, say: Callable[[str], None]) -> Outcome:
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


def _say(out: TextIO, redactor: Redactor, line: str) -> None:
    out.write(safe_line(redactor.text(line)) + "\n")
    out.flush()


if __name__ == "__main__":
    raise SystemExit(main())
