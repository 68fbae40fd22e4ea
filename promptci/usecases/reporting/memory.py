"""A repository's memory: list its verdicts, record feedback, report precision and flaky cases, import reports."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from promptci.config.find import load_revision_config, require_named_config
from promptci.errors import InputError, Problem, PromptciError, UsageError
from promptci.evaluation.memory import memory_lines, run_memory
from promptci.git.repo import Repo
from promptci.git.snapshot import WORK_TREE
from promptci.git.state_folder import keep_out_of_git
from promptci.memory import flaky
from promptci.memory.gate_precision import Precision, compute_precision, precision_by_rule
from promptci.memory.model import MEMORY_LINES, CaseRecord, Feedback, Label, Line, VerdictRecord
from promptci.memory.store import Memory, Past, Retention
from promptci.present import formatting
from promptci.redact import Redactor
from promptci.report.model.report import PrecisionView, ReportView
from promptci.report.text import memory_text

LABELS: tuple[Label, ...] = ("correct", "incorrect")
ACTOR_VARIABLES = ("GITHUB_ACTOR", "USER", "USERNAME")
"""Environment variables that name the person who gives feedback."""
_REPORT_HINT = "Pass a report.json as promptci wrote it."


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryStore:
    """A repository's memory, opened by a person."""

    folder: Path
    memory: Memory
    past: Past

    def write(self, lines: Sequence[Line]) -> None:
        """Append lines; raise PromptciError if that is not possible."""
        if trouble := self.memory.append(lines):
            raise PromptciError(trouble, "Free disk space or fix the folder's permissions, then try again.")
        keep_out_of_git(self.folder)


def open_store(root: Path, config_path: str, now: datetime) -> MemoryStore:
    """Open the memory that the working tree's promptci.yml names.

    Raises
    ------
    UsageError
        If the configuration turns the memory off.
    """
    snapshot = Repo.discover(root).snapshot(WORK_TREE)
    require_named_config([snapshot], config_path)
    folder = load_revision_config(snapshot, config_path).run.memory
    if folder is None:
        raise UsageError(f"{config_path} turns the memory off", "Set `run.memory` to a folder.")
    memory = run_memory.open_memory(root, folder, now)
    return MemoryStore(folder=root / folder, memory=memory, past=memory.read())


def list_verdicts(past: Past, *, blocking_only: bool) -> Iterable[str]:
    """Yield a line per verdict, newest first; `blocking_only`: those that blocked, or would have."""
    feedback = past.latest_feedback
    verdicts = [verdict for verdict in past.verdicts if verdict.blocks or not blocking_only]
    for verdict in sorted(verdicts, key=lambda verdict: verdict.at, reverse=True):
        yield _verdict_line(verdict, feedback.get(verdict.id))
    if not verdicts:
        yield "No verdict would have blocked." if blocking_only else "There are no verdicts yet."


def _verdict_line(verdict: VerdictRecord, feedback: Feedback | None) -> str:
    if verdict.pull_request:
        place = f"{verdict.repository or ''}#{verdict.pull_request}"
    else:
        place = formatting.short_sha(verdict.head)
    measured = ""
    if verdict.delta is not None:
        counts = f"{verdict.broken} broken, {verdict.fixed} fixed of {verdict.pairs}"
        measured = f", {formatting.signed_points(verdict.delta)}, {counts}, {formatting.p_value(verdict.p)}"
    labelled = ""
    if feedback is not None:
        labelled = f"; labelled {feedback.label}{f' by {feedback.by}' if feedback.by else ''}: {feedback.why}"
    result = f"{verdict.verdict} ({', '.join(verdict.rules)}{measured})"
    return f"{verdict.id}  {verdict.at}  {verdict.mode}  {verdict.prompt}: {result}  {place}{labelled}"


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedbackRequest:
    """A person's label for the verdict whose id is, or begins with, `verdict_id`."""

    verdict_id: str
    label: Label
    why: str
    now: datetime
    environ: Mapping[str, str]


def label_verdict(store: MemoryStore, request: FeedbackRequest) -> str:
    """Record feedback on a verdict and return a sentence about it.

    Raises
    ------
    UsageError
        If no verdict, or more than one, has this id, or the reason is empty.
    """
    prefix = request.verdict_id
    matches = [verdict for verdict in store.past.verdicts if prefix and verdict.id.startswith(prefix)]
    if len(matches) != 1:
        message = f"{len(matches)} verdicts begin with `{prefix}`" if matches else f"there is no verdict `{prefix}`"
        hint = "`promptci memory list` lists the verdicts; `promptci memory add report.json` imports one."
        raise UsageError(message, hint)
    if not request.why.strip():
        raise UsageError("--why is empty", "Write in a few words how you know.")
    (verdict,) = matches
    reason = Redactor.from_environ(request.environ).redact(" ".join(request.why.split()))
    by = next((request.environ[name] for name in ACTOR_VARIABLES if request.environ.get(name)), None)
    at = request.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    store.write([Feedback(id=verdict.id, at=at, label=request.label, why=reason, by=by)])
    return f"{verdict.id} ({verdict.prompt}: {verdict.verdict}) is labelled {request.label}."


def precision_report(past: Past) -> Iterable[str]:
    """Yield how often `fail` was correct, overall and by rule."""
    feedback = past.latest_feedback
    yield memory_text.describe_precision(_precision_view(compute_precision(past.verdicts, feedback)))
    for rule, precision in precision_by_rule(past.verdicts, feedback).items():
        yield f"  {rule}: {memory_text.describe_precision(_precision_view(precision))}"
    unlabelled = [verdict.id for verdict in past.verdicts if verdict.verdict == "fail" and verdict.id not in feedback]
    if unlabelled:
        yield f"Not labelled yet: {', '.join(unlabelled)}"


def _precision_view(precision: Precision) -> PrecisionView:
    interval = precision.interval
    return PrecisionView(
        verdicts=precision.verdicts,
        labelled=precision.labelled,
        correct=precision.correct,
        interval=None if interval is None else (interval.lo, interval.hi),
    )


def flaky_report(past: Past) -> Iterable[str]:
    """Yield the flaky cases of each prompt, and how often two runs of one version disagree."""
    for prompt in sorted({record.prompt for record in past.cases}):
        flaky_cases = flaky.find_flaky_cases(past.cases, prompt)
        noise = _describe_noise(flaky.measure_discordance(past.cases, prompt))
        yield f"{prompt}: {formatting.count(len(flaky_cases), 'flaky case')}; {noise}"
        for case in flaky_cases:
            times = formatting.count(case.passes + case.fails, "time")
            yield f"  {case.case}: passed {case.passes} of {times}, the rarer outcome {formatting.percent(case.share)}"
    if not past.cases:
        yield "No answers have been counted yet."


def _describe_noise(discordance: flaky.MeasuredDiscordance | None) -> str:
    if discordance is None:
        return "no case was asked twice, so its noise is unknown"
    cases = formatting.count(discordance.cases, "case")
    return f"two runs of one version disagree on {formatting.percent(discordance.rate)} of {cases}"


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportResult:
    """What an import of reports added."""

    verdicts: int
    cases: int
    duplicates: int
    """Lines that the memory already had."""
    too_old: int
    """Lines older than the retention."""
    problems: tuple[Problem, ...]
    """Reports that could not be read."""

    @property
    def sentence(self) -> str:
        """The result in words."""
        parts = [
            f"{formatting.count(self.verdicts, 'verdict')} and {formatting.count(self.cases, 'case result')} added"
        ]
        parts += [f"{self.duplicates:,} already there"] if self.duplicates else []
        parts += [f"{self.too_old:,} older than {Retention().keep_days} days skipped"] if self.too_old else []
        return ", ".join(parts) + "."


def add_reports(store: MemoryStore, sources: Sequence[Path]) -> ImportResult:
    """Import the lines of report.json files; an unreadable report does not stop the others."""
    ids = {verdict.id for verdict in store.past.verdicts}
    runs = {record.run for record in store.past.cases}
    problems: list[Problem] = []
    new: list[Line] = []
    duplicates = 0
    for source in sources:
        try:
            lines = _load_report_lines(source)
        except InputError as error:
            problems += error.problems
            continue
        unknown = [line for line in lines if not _is_known(line, ids, runs)]
        duplicates += len(lines) - len(unknown)
        ids |= {line.id for line in unknown if isinstance(line, VerdictRecord)}
        runs |= {line.run for line in unknown if isinstance(line, CaseRecord)}
        new += unknown
    kept = [line for line in new if not store.memory.is_too_old(line)]
    if kept:
        store.write(kept)
    verdicts = sum(isinstance(line, VerdictRecord) for line in kept)
    return ImportResult(
        verdicts=verdicts,
        cases=len(kept) - verdicts,
        duplicates=duplicates,
        too_old=len(new) - len(kept),
        problems=tuple(problems),
    )


def _is_known(line: Line, ids: set[str], runs: set[str]) -> bool:
    if isinstance(line, CaseRecord):
        return line.run in runs
    return isinstance(line, VerdictRecord) and line.id in ids


def _load_report_lines(source: Path) -> Sequence[Line]:
    """Return the memory lines of one report, which may come from anywhere; invalid ones are refused."""
    lines = list(memory_lines.lines(ReportView.load(source.resolve(), str(source))))
    try:
        for line in lines:
            MEMORY_LINES.from_value(MEMORY_LINES.to_value(line))
    except ValueError as error:
        raise InputError([Problem(path=str(source), message=str(error), hint=_REPORT_HINT)]) from error
    return lines
