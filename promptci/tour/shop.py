"""The shop of the play: its repository, its clock, and the commands of promptci with this clock."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from promptci.app.progress import PlainProgress
from promptci.app.requests import CheckRequest, RunRequest, RunResult
from promptci.errors import GitError, UsageError
from promptci.evaluation import check, run
from promptci.files import packaged
from promptci.lazy_dataclass import dataclass
from promptci.pipeline.environment import Environment, Trigger
from promptci.report.canary_document import CanaryDocument
from promptci.rollout.deployments.commit import CommitTarget
from promptci.tour.reviews import PlayedReviews
from promptci.usecases.audit import record
from promptci.usecases.audit.record import AuditRecordRequest
from promptci.usecases.drift import freeze, watch
from promptci.usecases.drift.freeze import FreezeRequest
from promptci.usecases.drift.watch import DriftRequest
from promptci.usecases.release import deploy, release
from promptci.usecases.release.deploy import DeployRequest
from promptci.usecases.release.release import ReleaseRequest
from promptci.usecases.rollout import canary
from promptci.usecases.rollout.canary import CanaryRequest

CONFIG, ENVIRONMENT = "promptci.yml", "production"
REPORT = Path("promptci-report")
MARK = ".promptci-demo"
KEY = "PROMPTCI_DEMO_KEY"


class PlayError(Exception):
    """The play did not go as it should."""


@dataclass(kw_only=True, slots=True)
class ClonedShop:
    """A repository, and a clock that the play moves."""

    folder: Path
    now: datetime
    say: Callable[[str], None]
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """The repository."""
        return self.folder / "garden-shop"

    @property
    def env(self) -> Environment:
        """The environment of a command at this time."""
        progress = PlainProgress(lambda _: None)
        return Environment(environ=self.environ, progress=progress, print=lambda _: None, now=lambda: self.now)

    def wait(self, **span: float) -> None:
        """Move the clock."""
        self.now += timedelta(**span)
        stamp = f"{self.now:%Y-%m-%dT%H:%M:%S+00:00}"
        os.environ.update(GIT_AUTHOR_DATE=stamp, GIT_COMMITTER_DATE=stamp)

    def act_as(self, name: str) -> None:
        """Let another person commit."""
        for role in ("AUTHOR", "COMMITTER"):
            os.environ.update({f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": f"{name}@shop.example"})

    def git(self, *words: str) -> str:
        """Run git in the repository."""
        done = subprocess.run(["git", *words], cwd=self.root, capture_output=True, text=True, check=False)
        if done.returncode:
            raise GitError(f"git {words[0]} failed: {done.stderr.strip()}", "Is git installed?")
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str], message: str, name: str) -> str:
        """Commit some files."""
        self.act_as(name)
        for path, text in files.items():
            place = self.root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        self.git("add", "--all", *files)
        self.git("commit", "--quiet", "--no-verify", f"--message={message}")
        return self.git("rev-parse", "HEAD")


@dataclass(kw_only=True, slots=True)
class Shop(ClonedShop):
    """The commands of promptci in that repository."""

    def test_all(self) -> RunResult:
        """Run `promptci run`."""
        request = RunRequest(root=self.root, head="HEAD", out=self.root / REPORT, no_cache=True)
        result = run.run(request, self.env)
        self.keep(request.out / "report.json")
        return result

    def propose(self, number: int, files: Mapping[str, str], title: str, name: str) -> RunResult:
        """Make a branch with a change, and run `promptci check` on it, as a pull request does."""
        self.git("switch", "--quiet", "--create", f"change-{number}", "main")
        commit = self.commit(files, title, name)
        self.git("switch", "--quiet", "main")
        return self._check(commit, Trigger(pull_request=number, actor=name))

    def override(self, number: int, author: str, by: str, reason: str) -> RunResult:
        """Put the label on a blocked pull request with a reason, and run the check again, as that event does."""
        commit, pushed = self.git("rev-parse", f"change-{number}"), self.now
        self.wait(minutes=25)
        reviews = PlayedReviews(author=author, head=commit, pushed=pushed, by=by, reason=reason, at=self.now)
        return self._check(commit, Trigger(pull_request=number, actor=by, reviews=reviews))

    def _check(self, commit: str, trigger: Trigger) -> RunResult:
        request = CheckRequest(root=self.root, base="main", head=commit, out=self.root / REPORT, no_cache=True)
        result = check.check(request, replace(self.env, trigger=trigger))
        self.record_audit(self.root / REPORT / "report.json")
        return result

    def merge(self, number: int, name: str) -> None:
        """Merge a pull request."""
        self.act_as(name)
        self.git("merge", "--quiet", "--no-ff", f"change-{number}", f"--message=Merge pull request #{number}")

    def release(self, prompt: str, number: int, *, by: str, approved: str, because: str = "") -> str:
        """Release a prompt, and return its version."""
        self.act_as(approved)
        request = ReleaseRequest(
            root=self.root,
            config_path=CONFIG,
            today=self.now.date(),
            names=(prompt,),
            report=self.root / REPORT / "report.json",
            pull_request=str(number),
            proposed_by=by,
            approved_by=(approved,),
            because=because,
        )
        (released,) = release.release(request).prompts
        if released.version is None:
            raise PlayError(f"{prompt} was not released: {released.why}")
        return released.version

    def deploy(self, prompt: str, version: str, *, canary: bool = False, drop: bool = False, because: str = "") -> None:
        """Deploy a version."""
        request = DeployRequest(
            root=self.root,
            config_path=CONFIG,
            name=f"{prompt}@{version}",
            environment=ENVIRONMENT,
            canary=canary,
            drop_canary=drop,
            because=because,
            target=CommitTarget(),
        )
        deploy.deploy(request)

    def look(self, logs: tuple[str, ...]) -> CanaryDocument:
        """Look at the canaries, commit what changed, and return the record."""
        out = self.root / REPORT
        request = CanaryRequest(root=self.root, environment=ENVIRONMENT, logs=logs, now=self.now, apply=True, out=out)
        canary.evaluate_canaries(request, self.env)
        document = CanaryDocument.load(out / "canary.json")
        self.act_as("promptci-bot")
        self.git("add", "deployments")
        if self.git("status", "--porcelain", "deployments"):
            reason = " ".join(finding.text for row in document.prompts if row.canary for finding in row.findings)
            title = f"Canary in {ENVIRONMENT}: {document.outcome}"
            self.git("commit", "--quiet", "--no-verify", f"--message={title}", f"--message=Reason: {reason}")
        return document

    def keep(self, report: Path) -> None:
        """Copy a report to the folder of evidence, which the log names by digest."""
        kept = self.folder / "evidence" / f"report-{self.now:%Y-%m-%d-%H%M}.json"
        kept.parent.mkdir(exist_ok=True)
        shutil.copyfile(report, kept)

    def freeze(self) -> None:
        """Add a night to the references of drift."""
        freeze.freeze(FreezeRequest(root=self.root), self.env)

    def night(self) -> None:
        """Watch one night."""
        watch.watch_night(DriftRequest(root=self.root), self.env)

    def record_audit(self, *reports: Path) -> None:
        """Add releases, deployments and the checks of reports to the audit log, and keep the reports."""
        self.act_as("promptci-bot")
        for report in reports:
            self.keep(report)
        record.record(AuditRecordRequest(root=self.root, environ=self.environ, now=self.now, reports=reports))


@contextmanager
def open_shop(folder: Path, start: datetime, say: Callable[[str], None]) -> Iterator[Shop]:
    """Create the shop's repository, with git set up for the play alone, and put the environment back at the end.

    Raises
    ------
    UsageError
        If the folder holds files that no demo made.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise UsageError(f"{folder} holds other files", "Give --out a new folder.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).write_text("Made by `promptci site --demo`, which replaces what is here.\n", encoding="utf-8")
    before = dict(os.environ)
    try:
        for name in [name for name in os.environ if name.startswith(("GIT_", "GITHUB_", "INPUT_"))]:
            del os.environ[name]
        os.environ.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1", PROMPTCI_DEMO_KEY="key-of-the-play")
        shop = Shop(folder=folder.resolve(), now=start.astimezone(UTC), say=say, environ={KEY: "key-of-the-play"})
        source = packaged.find_packaged_folder("example-repo")
        left_out = shutil.ignore_patterns("pull-request", "app", "__pycache__", "answers", ".promptci")
        shutil.copytree(source, shop.root, ignore=left_out)
        shop.wait(seconds=0)
        shop.act_as("ann")
        shop.git("init", "--quiet", "--initial-branch=main")
        yield shop
    finally:
        os.environ.clear()
        os.environ.update(before)
