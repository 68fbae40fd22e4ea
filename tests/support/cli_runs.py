"""Runs of the command line in this process: the exit code, and the verdict that the report states."""

import contextlib
import io
import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from promptci.cli import command_group
from promptci.cli.command_group import group
from promptci.errors import PromptciError


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandResult:
    """The end of one command."""

    exit_code: int
    verdict: str
    """From report.json; `error` where no report was written."""
    rules: tuple[str, ...]
    """Rules of all findings."""
    text: str
    """Everything that was printed, and the message of an error."""

    @property
    def is_green(self) -> bool:
        """Whether this result claims that nothing got worse."""
        return self.exit_code == 0 and self.verdict in {"pass", "no-change"}


def call_promptci(words: Sequence[str], folder: Path, environ: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a command line in this process as `python -m promptci` would, without a second start of the interpreter."""
    out, err = io.StringIO(), io.StringIO()
    on_terminate = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in set(os.environ) - set(environ):
            patch.delenv(name)
        for name, value in environ.items():
            patch.setenv(name, value)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                command_group.run(list(words))
        except SystemExit as exiting:
            code = exiting.code if isinstance(exiting.code, int) else 1
        finally:
            signal.signal(signal.SIGTERM, on_terminate)
    return subprocess.CompletedProcess(list(words), code, out.getvalue(), err.getvalue())


def run_command(repository: Path, words: Sequence[str], out: Path) -> CommandResult:
    """Run one command on a repository, its report in `out`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(repository)
        patch.setenv("CI", "true")
        invoked = CliRunner().invoke(group, [*words, "--out", str(out), "--no-cache"], standalone_mode=False)
    if invoked.exception is not None:
        if not isinstance(invoked.exception, PromptciError):
            raise invoked.exception
        error = invoked.exception
        text = f"{invoked.output}{error}"
        return CommandResult(exit_code=error.exit_code, verdict="error", rules=(), text=text)
    path = out / "report.json"
    report = json.loads(path.read_text()) if path.exists() else {}
    findings = [finding for prompt in report.get("prompts", ()) for finding in prompt["findings"]]
    findings += report.get("problems", ())
    return CommandResult(
        exit_code=invoked.return_value,
        verdict=report["verdict"] if report else invoked.output.partition(":")[0],
        rules=tuple(dict.fromkeys(finding["rule"] for finding in findings)),
        text=invoked.output,
    )
