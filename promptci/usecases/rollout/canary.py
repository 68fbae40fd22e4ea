"""Evaluate the canaries of an environment: decide about each prompt by the request logs of both arms."""

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from promptci.errors import InputError, Problem
from promptci.files import write
from promptci.git.data_branch import find_branch
from promptci.git.repo import Repo
from promptci.git.snapshot import WORK_TREE, Snapshot
from promptci.lazy_dataclass import dataclass
from promptci.lazy_import import lazy_import
from promptci.pipeline.environment import Environment
from promptci.redact import Redactor
from promptci.registry.tag_message import format_message
from promptci.report import canary_document, canary_look, canary_page
from promptci.report import canary_report as report
from promptci.report.canary_document import CanaryDocument
from promptci.report.canary_report import CanaryReport
from promptci.requestlog import read
from promptci.requestlog.batch import WantedRequests
from promptci.requestlog.columns import microseconds
from promptci.rollout import canary, deployment, state
from promptci.rollout.deployment import Deployed, shorten_version
from promptci.rollout.deployments.commit import CommitTarget, PlannedCommit, commit_lines, commit_planned
from promptci.rollout.deployments.environment_file import load_environment, progress_path
from promptci.rollout.judging.sample import SampleRequest
from promptci.rollout.state import CanaryProgress

if TYPE_CHECKING:
    from promptci.rollout.judging import judge_sample
else:
    judge_sample = lazy_import("promptci.rollout.judging.judge_sample")


COMMIT_REASON = "the next look needs both, and a bundle is made of a commit"


@dataclass(frozen=True, kw_only=True, slots=True)
class CanaryRequest:
    """What to evaluate."""

    root: Path
    """A folder of the git repository."""
    environment: str
    logs: tuple[str, ...]
    """Paths and globs."""
    now: datetime
    apply: bool = False
    """Write the new shares into the deployment file, and the canaries' progress into the file next to it."""
    target: CommitTarget = field(default_factory=CommitTarget)
    """With `push`, the newest files of the remote's branch decide, and what is written is committed there."""
    dry_run: bool = False
    """Write nothing: neither shares nor a report."""
    sample: SampleRequest | None = None
    """Answers that the judge marks after the decision; None: none."""
    out: Path = Path("promptci-report")


@dataclass(frozen=True, kw_only=True)
class EvaluatedCanaries(PlannedCommit):
    """One look at the canaries of an environment as some files have it, and what it changes in them."""

    record: CanaryReport
    judge: "judge_sample.SampleJudge | None"


def evaluate_canaries(request: CanaryRequest, env: Environment) -> tuple[CanaryReport, str]:
    """Decide about every prompt of an environment, write the report, and return it with its Markdown.

    Raises
    ------
    ConfigError
        With every mistake in the deployment file.
    InputError
        If a state file or a log cannot be read.
    GitError
        If a version is not a commit, or what is decided cannot be pushed.
    """
    repo = Repo.discover(request.root)
    lines: tuple[str, ...] = ()
    if request.apply and not request.dry_run and request.target.push:
        # Where somebody pushed in the meantime, their files are evaluated again: a rollback stands, a step may not.
        done = commit_planned(repo, request.target, lambda tip: _evaluate(request, repo, tip, env), dry_run=False)
        evaluated = done.plan
        if done.commit is not None:
            lines = tuple(commit_lines(done.commit, list(evaluated.files), done.branch, done.pull_command))
            lines = (*lines, f"Applications follow when the bundle is made and published: {_bundle_command(request)}")
    else:
        evaluated = _evaluate(request, repo, repo.snapshot(WORK_TREE), env)
        if evaluated.record.applied:
            _write(repo.root, evaluated.files)
            lines = tuple(_describe_written(evaluated, request))
    record, judge = replace(evaluated.record, written=lines), evaluated.judge
    if request.sample is not None and judge is not None:
        requests_by_prompt = {decision.prompt: decision.window.requests for decision in record.decisions}
        record = replace(record, samples=judge_sample.judge_samples(request.sample, judge, requests_by_prompt))
    redactor = env.redactor()
    words = redactor.redact(report.markdown(record))
    if not request.dry_run:
        _write_report(record, words, request.out, redactor)
    return record, words


def _describe_written(evaluated: EvaluatedCanaries, request: CanaryRequest) -> Iterator[str]:
    """Yield what was written into the working tree, and what makes it count."""
    if not evaluated.files:
        return
    yield f"written: {', '.join(sorted(evaluated.files))}. Commit and push them: {COMMIT_REASON}"
    if evaluated.record.changed:
        yield f"Applications follow when the bundle is made of that commit and published: {_bundle_command(request)}"


def _bundle_command(request: CanaryRequest) -> str:
    return f"`promptci bundle --env {request.environment}`"


def _evaluate(request: CanaryRequest, repo: Repo, files: Snapshot, env: Environment) -> EvaluatedCanaries:
    """Decide about every prompt of the environment as these files have it."""
    file = load_environment(files, request.environment)
    path, data, deployed, state_path = file.path, file.data, file.deployment, progress_path(request.environment)
    standings = _load_progress(repo, files, state_path)
    judge = None if request.sample is None else judge_sample.load_judge(repo, files, request.sample, env)
    tried = {entry.prompt: entry for entry in deployed.prompts if entry.canary is not None}
    for entry in tried.values():
        for version in (entry.stable, entry.canary or ""):
            repo.resolve(version)
    log = read.load_log(_log_paths(request), _wanted_requests(tried, standings))
    decisions = tuple(
        canary.decide_canary(
            entry, standings.get(entry.prompt), log.requests_of(entry.prompt), deployed.policy, request.now
        )
        for entry in deployed.prompts
    )
    record = CanaryReport(
        environment=request.environment,
        at=request.now,
        decisions=decisions,
        log=log,
        applied=request.apply and not request.dry_run,
    )
    for decision in decisions:
        if decision.new_share != decision.share:
            data = deployment.with_share(data, path, decision.prompt, decision.new_share)
    written = {state_path: _state_file(record, standings), path: data}
    changed: dict[str, bytes | None] = {name: text for name, text in written.items() if files.read(name) != text}
    return EvaluatedCanaries(files=changed, message=_commit_message(record), record=record, judge=judge)


def _commit_message(record: CanaryReport) -> str:
    """Return the message of the commit; `promptci log` and `status` read the reason from it."""
    reasons = [
        f"{decision.prompt}: {' '.join(report.finding_texts(decision))}"
        for decision in record.decisions
        if decision.new_share != decision.share
    ]
    subject = f"Canary in {record.environment}: {record.outcome}"
    return format_message(subject, [("Environment", record.environment), ("Reason", " ".join(reasons))])


def record_looks(record: CanaryReport, root: Path, remote: str, redactor: Redactor) -> None:
    """Add the looks that changed something to the history branch and push it.

    Raises
    ------
    InputError, GitError
        If the branch cannot be read or pushed.
    """
    looks = canary_look.list_looks(redacted_document(record, redactor))
    if looks:
        branch = find_branch(Repo.discover(root).root, remote)
        branch.append(lambda files: canary_look.add_looks(files, looks), f"Look at canaries of {record.environment}")


def _log_paths(request: CanaryRequest) -> list[Path]:
    """Return the files of the log, that of the judge's marks among them."""
    paths = read.expand_patterns(request.logs)
    marks = None if request.sample is None else request.sample.marks
    if marks is None or not marks.is_file() or any(marks.samefile(path) for path in paths):
        return paths
    return [*paths, marks]


def _wanted_requests(tried: Mapping[str, Deployed], standings: Mapping[str, CanaryProgress]) -> WantedRequests:
    """Return what the log is read for: requests before the present step are not evaluated, and need not be kept."""
    begun = {prompt: standings[prompt].since for prompt in tried if prompt in standings}
    return WantedRequests(
        since={prompt: microseconds(since) for prompt, since in begun.items()},
        salts={prompt: f"{prompt}@{shorten_version(prompt, tried[prompt].canary or '')}" for prompt in begun},
    )


def _load_progress(repo: Repo, files: Snapshot, path: str) -> dict[str, CanaryProgress]:
    data = files.read(path)
    if data is None and files.sha is None and (repo.root / path).exists():
        # Treated as a first evaluation, it would restart a canary that was rolled back.
        message = "git ignores the file in which it stands how far each canary has come"
        raise InputError([Problem(path=path, message=message, hint="Take it out of .gitignore and commit it.")])
    return state.load_progress(data, path)


def _state_file(record: CanaryReport, before: Mapping[str, CanaryProgress]) -> bytes:
    """Return the state file; a prompt without a canary keeps its state, so that a rollback is remembered."""
    now = {decision.prompt: decision.progress for decision in record.decisions if decision.progress is not None}
    return state.dump_progress({**before, **now}).encode()


def _write(root: Path, files: Mapping[str, bytes | None]) -> None:
    """Write files in this order.

    The state goes first: if the process is stopped in between, the next evaluation finds a share below the recorded
    one, or one above 0 after a rollback, and both are safe.
    """
    for path, content in files.items():
        if content is not None:
            write.write_bytes(root / path, content)


def redacted_document(record: CanaryReport, redactor: Redactor) -> CanaryDocument:
    """Return canary.json without secrets."""
    return canary_document.to_document(record).redacted(redactor)


def _write_report(record: CanaryReport, words: str, folder: Path, redactor: Redactor) -> None:
    document = redacted_document(record, redactor)
    write.write_text(folder / "canary.md", words)
    write.write_text(folder / "canary.json", document.dump())
    write.write_text(folder / "canary.html", canary_page.render_page(document))
