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
from promptci.report import canary_report as report
from promptci.report.canary_report import Record
from promptci.requestlog import read
from promptci.rollout import canary, deployment, state
from promptci.rollout.state import Standing

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
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


def look(errand: Look, redactor: Redactor) -> tuple[Record, str]:
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
    standings = _standings(repo, files.read(beside), beside)
    tried = {one.prompt: one for one in deployed.prompts if one.canary is not None}
    for one in tried.values():
        for version in (one.stable, one.canary or ""):
            repo.resolve(version)
    # What was before the present step is not looked at, so it need not be kept.
    begun = {prompt: standings[prompt].since for prompt in tried if prompt in standings}
    log = read.read(read.files(errand.logs), lambda one: one.prompt in begun and one.time >= begun[one.prompt])
    decisions = tuple(
        canary.decide(
            one,
            standings.get(one.prompt),
            [request for request in log.requests if request.prompt == one.prompt],
            deployed.policy,
            errand.now,
        )
        for one in deployed.prompts
    )
    record = Record(environment=errand.environment, at=errand.now, decisions=decisions, log=log, applied=errand.apply)
    if errand.apply:
        for decision in decisions:
            if decision.new_share != decision.share:
                data = deployment.with_share(data, path, decision.prompt, decision.new_share)
        _write(repo.root, {beside: _after(record, standings), path: data})
    return record, _recorded(record, errand.out, redactor)


def _standings(repo: Repo, data: bytes | None, path: str) -> dict[str, Standing]:
    if data is None and (repo.root / path).exists():
        # Taken for a first look, it would let a canary that was rolled back begin again.
        what = "git ignores the file in which it stands how far each canary has come"
        raise InputError([Problem(path=path, message=what, hint="Take it out of .gitignore and commit it.")])
    return state.load(data, path)


def _after(record: Record, before: Mapping[str, Standing]) -> bytes:
    """Give the state file; a prompt without a canary keeps what is known, so that a rollback is not forgotten."""
    now = {one.prompt: one.standing for one in record.decisions if one.standing is not None}
    return state.dump({**before, **now}).encode()


def _write(root: Path, files: Mapping[str, bytes]) -> None:
    """Write what differs, in this order.

    The state goes first: were we stopped in between, the next look finds a share below the one that is written down, or
    one above 0 after a rollback, and both are safe.
    """
    for path, content in files.items():
        place = root / path
        if not place.exists() or place.read_bytes() != content:
            write.write_bytes(place, content)


def _recorded(record: Record, folder: Path, redactor: Redactor) -> str:
    words = redactor.redact(report.markdown(record))
    write.write_text(folder / "canary.md", words)
    write.write_text(folder / "canary.json", report.text(redactor.redact_value(report.to_json(record))))
    return words
