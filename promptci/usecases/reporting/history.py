"""The errands around a history: list it, judge its verdicts, say how often the gate was right, take in reports."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from promptci.config import load as config_load
from promptci.errors import InputError, Problem, PromptciError, UsageError
from promptci.git.repo import Repo
from promptci.git.snapshot import WORK_TREE
from promptci.history import flaky, model
from promptci.history.gate_precision import Precision, by_rule, precision
from promptci.history.model import CaseRecord, Judgement, Line, Mark, VerdictRecord
from promptci.history.store import Bounds, History, Past
from promptci.pipeline.asking import keep_out_of_git
from promptci.present import formatting
from promptci.redact import Redactor
from promptci.report.model import document
from promptci.report.model.report import PrecisionView
from promptci.report.text import history_text
from promptci.usecases.evaluation import run_history

JUDGEMENTS: tuple[Judgement, ...] = ("right", "wrong")
NAMES = ("GITHUB_ACTOR", "USER", "USERNAME")
"""Variables that say who judges."""
LARGEST = 256 * 2**20
"""Bytes of a report.json that is taken in."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Archive:
    """A repository's history, opened by a person."""

    folder: Path
    history: History
    past: Past

    def write(self, lines: Sequence[Line]) -> None:
        """Append; PromptciError where that is not possible, because here it is all that was asked for."""
        if trouble := self.history.append(lines):
            raise PromptciError(trouble, "Free the disk or mend the folder's rights, then try again.")
        keep_out_of_git(self.folder)


def opened(root: Path, config_path: str, now: datetime) -> Archive:
    """Open the history that promptci.yml of the working tree names.

    Raises
    ------
    UsageError
        Where it says that none is kept.
    """
    snapshot = Repo.discover(root).snapshot(WORK_TREE)
    folder = config_load.load_config(snapshot.read(config_path), config_path).run.history
    if folder is None:
        raise UsageError(f"{config_path} says that no history is kept", "Give `run.history` a folder.")
    history = run_history.opened(root, folder, now)
    return Archive(folder=root / folder, history=history, past=history.read())


def listed(past: Past, *, advised: bool) -> Iterable[str]:
    """Give the verdicts in words, newest first; `advised`: only those that blocked, or would have."""
    judgements = past.judgements
    chosen = [one for one in past.verdicts if one.blocks or not advised]
    for one in sorted(chosen, key=lambda verdict: verdict.at, reverse=True):
        yield _row(one, judgements.get(one.id))
    if not chosen:
        yield "There is no verdict that would have blocked." if advised else "There is no verdict yet."


def _row(one: VerdictRecord, mark: Mark | None) -> str:
    where = f"{one.repository or ''}#{one.pull_request}" if one.pull_request else formatting.short_sha(one.head)
    measured = ""
    if one.delta is not None:
        measured = f", {formatting.signed_points(one.delta)}, {one.broken} broken, {one.fixed} fixed of {one.pairs}"
        measured += f", {formatting.p_value(one.p)}"
    judged = ""
    if mark is not None:
        judged = f"; judged {mark.judgement}{f' by {mark.by}' if mark.by else ''}: {mark.why}"
    found = f"{one.verdict} ({', '.join(one.rules)}{measured})"
    return f"{one.id}  {one.at}  {one.mode}  {one.prompt}: {found}  {where}{judged}"


def mark(archive: Archive, name: str, judgement: Judgement, why: str, world: tuple[datetime, Mapping[str, str]]) -> str:
    """Write down what a person thinks of a verdict, named by its id or the beginning of it, and say so.

    Raises
    ------
    UsageError
        Where there is no such verdict, or more than one.
    """
    now, environ = world
    found = [one for one in archive.past.verdicts if name and one.id.startswith(name)]
    if len(found) != 1:
        what = f"`{name}` is the beginning of {len(found)} verdicts" if found else f"there is no verdict `{name}`"
        raise UsageError(what, "`promptci history list` shows them; `promptci history add report.json` takes one in.")
    if not why.strip():
        raise UsageError("--why is empty", "Say in a few words how you know.")
    by = next((environ[variable] for variable in NAMES if environ.get(variable)), None)
    redactor = Redactor.from_environ(environ)
    (one,) = found
    at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    archive.write([Mark(id=one.id, at=at, judgement=judgement, why=redactor.redact(" ".join(why.split())), by=by)])
    return f"{one.id} ({one.prompt}: {one.verdict}) is judged {judgement}."


def precise(past: Past) -> Iterable[str]:
    """Say how often the gate was right when it said `fail`, in all and by kind of reason."""
    yield history_text.precision(_view(precision(past.verdicts, past.judgements)))
    for rule, found in by_rule(past.verdicts, past.judgements).items():
        yield f"  {rule}: {history_text.precision(_view(found))}"
    failed = [one for one in past.verdicts if one.verdict == "fail" and one.id not in past.judgements]
    if failed:
        yield f"Not judged yet: {', '.join(one.id for one in failed)}"


def _view(found: Precision) -> PrecisionView:
    interval = found.interval
    return PrecisionView(
        verdicts=found.verdicts,
        judged=found.judged,
        right=found.right,
        interval=None if interval is None else (interval.lo, interval.hi),
    )


def flaking(past: Past) -> Iterable[str]:
    """Say of each prompt which cases have flipped by themselves, and how much chance there is in its set."""
    for prompt in sorted({one.prompt for one in past.cases}):
        found = flaky.flaky(past.cases, prompt)
        noise = flaky.discordance(past.cases, prompt)
        yield f"{prompt}: {formatting.count(len(found), 'flaky case')}; {_noise(noise)}"
        for one in found:
            times = formatting.count(one.passes + one.fails, "time")
            yield f"  {one.case}: right {one.passes} of {times}, the rarer outcome {formatting.percent(one.share)}"
    if not past.cases:
        yield "No answers have been counted yet."


def _noise(found: flaky.Discordance | None) -> str:
    if found is None:
        return "no case was asked twice, so its noise is unknown"
    cases = formatting.count(found.cases, "case")
    return f"two runs of one version disagree on {formatting.percent(found.rate)} of {cases}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Added:
    """What reports gave."""

    verdicts: int
    cases: int
    known: int
    """Lines that were there already."""
    old: int
    """Lines older than is kept."""
    problems: tuple[Problem, ...]
    """Reports that could not be read."""

    @property
    def said(self) -> str:
        """Put it in words."""
        parts = [
            f"{formatting.count(self.verdicts, 'verdict')} and {formatting.count(self.cases, 'count')} of cases added"
        ]
        parts += [f"{self.known:,} there already"] if self.known else []
        parts += [f"{self.old:,} older than {Bounds().keep_days} days left out"] if self.old else []
        return ", ".join(parts) + "."


def add(archive: Archive, sources: Sequence[Path]) -> Added:
    """Take over the lines of report.json files; a report that cannot be read does not keep the others out."""
    ids = {one.id for one in archive.past.verdicts}
    runs = {one.run for one in archive.past.cases}
    problems: list[Problem] = []
    new: list[Line] = []
    known = 0
    for source in sources:
        try:
            lines = _of_report(source)
        except InputError as error:
            problems += error.problems
            continue
        fresh = [line for line in lines if not _there(line, ids, runs)]
        known += len(lines) - len(fresh)
        ids |= {line.id for line in fresh if isinstance(line, VerdictRecord)}
        runs |= {line.run for line in fresh if isinstance(line, CaseRecord)}
        new += fresh
    kept = [line for line in new if not archive.history.too_old(line)]
    if kept:
        archive.write(kept)
    verdicts = sum(isinstance(line, VerdictRecord) for line in kept)
    return Added(
        verdicts=verdicts,
        cases=len(kept) - verdicts,
        known=known,
        old=len(new) - len(kept),
        problems=tuple(problems),
    )


def _there(line: Line, ids: set[str], runs: set[str]) -> bool:
    if isinstance(line, CaseRecord):
        return line.run in runs
    return isinstance(line, VerdictRecord) and line.id in ids


def _of_report(source: Path) -> Sequence[Line]:
    """Read the lines of one report, which may come from anywhere: what cannot be in a history is refused."""
    fix = "Give a report.json as promptci wrote it."
    try:
        if source.stat().st_size > LARGEST:
            raise InputError([Problem(path=str(source), message=f"the file is over {LARGEST:,} bytes", hint=fix)])
        text = source.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        what = f"it cannot be read: {error.strerror}"
        raise InputError([Problem(path=str(source), message=what, hint=fix)]) from error
    lines = list(run_history.lines(document.load(text, str(source))))
    try:
        for line in lines:
            model.from_json(model.to_json(line))
    except ValueError as error:
        raise InputError([Problem(path=str(source), message=str(error), hint=fix)]) from error
    return lines
