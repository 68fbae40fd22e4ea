"""Render a report again, from a report.json or a run's journal, without asking a model."""

from collections.abc import Sequence
from pathlib import Path

from promptci.app.requests import CheckRequest, RunResult
from promptci.errors import UsageError
from promptci.evaluation import check, run
from promptci.pipeline.environment import Environment
from promptci.providers.replay import ReplayProvider
from promptci.report import write
from promptci.report.build.load_report import load_report
from promptci.report.build.view import redact_view
from promptci.report.figures import quality_figure
from promptci.runs import journal

_NOT_IN_JOURNAL = "the journal holds no answer to this; the run was not finished"


def redraw_report(source: Path, out: Path, root: Path, env: Environment) -> RunResult:
    """Write all outputs into `out`.

    A report.json holds everything. A journal holds the answers: the run it was written by is gone through again over
    the same commits in the repository `root`, with the journal in the model's place.

    Raises
    ------
    InputError
        Where the source cannot be read.
    UsageError
        Where it is neither.
    """
    if source.name.endswith((".jsonl", ".jsonl.gz")):
        return _from_journal(source, out, root, env)
    if source.suffix != ".json":
        raise UsageError(
            f"{source} is neither a report.json nor a journal.jsonl or journal.jsonl.gz", "Give one of them."
        )
    redactor = env.redactor()
    view = load_report(source.resolve(), str(source), redactor)
    report = redact_view(view, redactor)  # it may come from elsewhere
    return RunResult(exit_code=view.exit_code, view=report.view, paths=write.write_all(report, out))


def write_figures(result: RunResult, formats: Sequence[str]) -> list[Path]:
    """Write the figures of a run beside its report; return their paths.

    Raises
    ------
    UsageError
        If matplotlib is not installed, or nothing was compared that could be drawn.
    """
    if not formats:
        return []
    if result.view is None or result.paths is None:
        raise UsageError("There is no report to draw figures from", "Look at the errors of the run.")
    written = quality_figure.write_figures(result.view, result.paths.folder, formats)
    if not written:
        raise UsageError("No prompt was compared, so there is nothing to draw", "Leave out --figures.")
    return written


def _from_journal(source: Path, out: Path, root: Path, env: Environment) -> RunResult:
    header, answers = journal.load_journal(source)
    if header.head is None:
        raise UsageError(f"{source} was made from a working tree, which is gone", "Redraw its report.json instead.")
    known = {(a.request_key, a.replicate): a.completion for a in answers if a.completion is not None}
    if out.resolve() == source.parent.resolve():
        raise UsageError("The journal would be written over", "Give --out another folder.")
    request = CheckRequest(
        root=root,
        config_path=header.config,
        base=header.base,
        head=header.head,
        out=out,
        no_cache=True,
        answers=ReplayProvider(known, name="journal", missing=lambda *_: _NOT_IN_JOURNAL),
    )
    again = check.check if header.base is not None else run.run
    return again(request, env)
