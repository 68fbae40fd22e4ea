"""Look at the canaries of an environment: the log of both arms in, a decision about each prompt out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from promptci.errors import InputError, Problem, UsageError
from promptci.files import write
from promptci.git.repo import Repo
from promptci.git.snapshot import WORK_TREE
from promptci.redact import Redactor
from promptci.report import canary_document
from promptci.report import canary_report as report
from promptci.report.canary_document import CanaryDocument
from promptci.report.canary_report import CanaryReport
from promptci.requestlog import read
from promptci.rollout import canary, deployment, state
from promptci.rollout.state import CanaryProgress

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, kw_only=True, slots=True)
class CanaryRequest:
    """What is to be looked at."""

    root: Path
    """A folder of the git repository."""
    environment: str
    logs: tuple[str, ...]
    """Paths and globs."""
    now: datetime
    apply: bool = False
    """Write the new shares into the deployment file, and where the canaries stand beside it."""
    out: Path = Path("promptci-report")


def evaluate_canaries(errand: CanaryRequest, redactor: Redactor) -> tuple[CanaryReport, str]:
    """Decide about every prompt of an environment; give the record and its Markdown, which are written, too.

    Raises
    ------
    ConfigError
        With every mistake in the deployment file.
    InputError
        For a state file or a log that cannot be read.
    GitError
        For a version that is no commit.
    """
    if not _NAME.fullmatch(errand.environment):
        raise UsageError(f"`{errand.environment}` cannot be an environment", "Give letters, digits, `.`, `_` and `-`.")
    repo = Repo.discover(errand.root)
    path, beside = (f"deployments/{errand.environment}{ending}" for ending in (".yml", ".canary.json"))
    files = repo.snapshot(WORK_TREE)
    data = files.read(path)
    if data is None:
        raise UsageError(f"There is no {path} in {repo.root}", "Write it, or give --env another name.")
    deployed = deployment.load(data, path)
    standings = _load_progress(repo, files.read(beside), beside)
    tried = {one.prompt: one for one in deployed.prompts if one.canary is not None}
    for one in tried.values():
        for version in (one.stable, one.canary or ""):
            repo.resolve(version)
    # What was before the present step is not looked at, so it need not be kept.
    begun = {prompt: standings[prompt].since for prompt in tried if prompt in standings}
    log = read.load_log(
        read.expand_patterns(errand.logs), lambda one: one.prompt in begun and one.time >= begun[one.prompt]
    )
    decisions = tuple(
        canary.decide_canary(
            one,
            standings.get(one.prompt),
            [request for request in log.requests if request.prompt == one.prompt],
            deployed.policy,
            errand.now,
        )
        for one in deployed.prompts
    )
    record = CanaryReport(
        environment=errand.environment, at=errand.now, decisions=decisions, log=log, applied=errand.apply
    )
    if errand.apply:
        for decision in decisions:
            if decision.new_share != decision.share:
                data = deployment.with_share(data, path, decision.prompt, decision.new_share)
        _write(repo.root, {beside: _state_file(record, standings), path: data})
    return record, _write_report(record, errand.out, redactor)


def _load_progress(repo: Repo, data: bytes | None, path: str) -> dict[str, CanaryProgress]:
    if data is None and (repo.root / path).exists():
        # Taken for a first look, it would let a canary that was rolled back begin again.
        what = "git ignores the file in which it stands how far each canary has come"
        raise InputError([Problem(path=path, message=what, hint="Take it out of .gitignore and commit it.")])
    return state.load_progress(data, path)


def _state_file(record: CanaryReport, before: Mapping[str, CanaryProgress]) -> bytes:
    """Return the state file; a prompt without a canary keeps what is known, so that a rollback is not forgotten."""
    now = {one.prompt: one.progress for one in record.decisions if one.progress is not None}
    return state.dump_progress({**before, **now}).encode()


def _write(root: Path, files: Mapping[str, bytes]) -> None:
    """Write what differs, in this order.

    The state goes first: were we stopped in between, the next look finds a share below the one that is written down, or
    one above 0 after a rollback, and both are safe.
    """
    for path, content in files.items():
        place = root / path
        if not place.exists() or place.read_bytes() != content:
            write.write_bytes(place, content)


def _write_report(record: CanaryReport, folder: Path, redactor: Redactor) -> str:
    words = redactor.redact(report.markdown(record))
    write.write_text(folder / "canary.md", words)
    values = redactor.redact_value(canary_document.to_document(record).model_dump(mode="json", by_alias=True))
    write.write_text(folder / "canary.json", CanaryDocument.model_validate(values).dump())
    return words
