"""`AuditMaterial`: the log of a clone, with the releases, reports and nights that its entries name."""

from collections.abc import Iterator
from pathlib import Path

from promptci.audit import log
from promptci.audit.chain import AuditLine, digest_line
from promptci.audit.entry import AuditEntry
from promptci.audit.report_record import RecordedPrompt, RecordedReport
from promptci.drift.night import NightLine
from promptci.errors import InputError, PromptciError
from promptci.evaluation.auditing.stories import LoggedEntry, VersionStory, build_stories
from promptci.git.data_branch import BranchFiles, find_branch
from promptci.git.repo import Repo
from promptci.lazy_dataclass import dataclass
from promptci.monitor.alerts.line import AlertLine, read_alert_lines
from promptci.prompts.model import Prompt
from promptci.registry import tags
from promptci.registry.release import Release
from promptci.registry.released_prompt import VersionReader
from promptci.report.build.source_diff import diff_sources
from promptci.report.model.report import DiffLineView

MAX_REPORT_FILES = 5000


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundReport:
    """A report.json that is at hand, and its part about one prompt."""

    report: RecordedReport
    prompt: RecordedPrompt
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionMaterial:
    """What is at hand about one version besides the log."""

    release: Release | None
    report: FoundReport | None
    named_reports: tuple[str, ...]
    """Digests of the reports that the log names."""
    before: Prompt | None
    after: Prompt | None
    nights: tuple[NightLine, ...]
    alerts: tuple[AlertLine, ...]
    goldens_change: LoggedEntry | None
    """The last change of the golden cases before the test."""

    def diff(self) -> tuple[list[DiffLineView], str | None]:
        """Return the lines of the prompt's diff, and a note on what they do not show."""
        if self.after is None:
            return [], "The content of this version is not in this clone."
        lines, note = diff_sources(self.before, self.after)
        return lines, note or (None if self.before else "The content before it is not known, or this is the first.")


class AuditMaterial:
    """Everything that stories are told from."""

    def __init__(self, root: Path, remote: str, config_path: str, evidence: Path | None = None) -> None:
        """Read the log; raises UsageError where there is none."""
        self.repo = Repo.discover(root)
        branch = find_branch(self.repo.root, remote)
        self._files = branch.files()
        self.lines: list[AuditLine] = log.require_lines(branch)
        self.unreadable: list[str] = []
        self.logged = [
            LoggedEntry(entry=entry, digest=digest_line(line.content))
            for line in self.lines
            for entry in log.iterate_entries([line], self.unreadable)
        ]
        self.stories, self.other = build_stories(self.logged)
        self._releases = tags.list_releases(self.repo.root)
        self._reader = VersionReader(self.repo, self._releases, config_path)
        self._reports = dict(_read_reports(evidence)) if evidence else {}
        self._nights = list(_read_nights(self._files))
        self._alerts = _read_alerts(self._files)

    def collect(self, story: VersionStory) -> VersionMaterial:
        """Return what is at hand about a version."""
        release = self._reader.find_release(story.prompt, story.version)
        digests = _list_reports(story, release)
        running = {each.entry.environment for each in story.select("deployed", "promoted", "rolled-back")}
        return VersionMaterial(
            release=release,
            report=self._find_report(story, digests),
            named_reports=digests,
            before=self._find_before(story),
            after=self._find_after(story, release),
            nights=tuple(n for n in self._nights if (n.prompt, n.version) == (story.prompt, story.version)),
            alerts=tuple(a for a in self._alerts if a.prompt == story.prompt) if running else (),
            goldens_change=self._find_goldens_change(story),
        )

    def _find_report(self, story: VersionStory, digests: tuple[str, ...]) -> FoundReport | None:
        for digest in digests:
            report = self._reports.get(digest)
            for prompt in report.prompts if report else ():
                if prompt.name == story.prompt and prompt.head_fingerprint in {story.fingerprint, None}:
                    return FoundReport(report=report, prompt=prompt, digest=digest) if report else None
        return None

    def _find_before(self, story: VersionStory) -> Prompt | None:
        """Return the content that this version replaced: the release before it, else the base of its check."""
        before = story.before
        return self._find_prompt(story.prompt, before.version) if before else None

    def _find_after(self, story: VersionStory, release: Release | None) -> Prompt | None:
        if release is not None:
            return self._find_prompt(story.prompt, release.commit)
        commits = [each.entry.change.commit for each in story.logged if each.entry.change]
        return next(
            (content for commit in commits if commit and (content := self._find_prompt(story.prompt, commit))), None
        )

    def _find_prompt(self, prompt: str, version: str) -> Prompt | None:
        try:
            return self._reader.find(prompt, version).prompt
        except PromptciError:
            return None

    def _find_goldens_change(self, story: VersionStory) -> LoggedEntry | None:
        tested = min((each.at for each in story.select("checked", "blocked", "released")), default="")
        changes = [
            each
            for each in self.other
            if each.entry.what == "goldens-changed" and each.entry.prompt == story.prompt and each.at <= tested
        ]
        return max(changes, key=lambda each: (each.at, each.entry.n), default=None)


def _list_reports(story: VersionStory, release: Release | None) -> tuple[str, ...]:
    """Return the digests of the reports about a version: of its release first, then of its checks."""
    named = [release.trailers.get("Report", "").removeprefix("sha256:")] if release else []
    for each in story.select("released", "blocked", "checked"):
        named += [file.sha256 for file in each.entry.evidence if file.name == "report.json"]
    return tuple(dict.fromkeys(filter(None, named)))


def _read_reports(folder: Path) -> Iterator[tuple[str, RecordedReport]]:
    for path in sorted(folder.rglob("*.json"))[:MAX_REPORT_FILES]:
        if path.is_symlink() or not path.is_file():
            continue
        with path.open("rb") as file:
            if b"promptci/report/" not in file.read(200):
                continue
        try:
            report, digest = RecordedReport.read(path)
        except InputError:
            continue  # `audit verify --evidence` names a report that is not what the log says
        yield digest, report


def _read_nights(files: BranchFiles) -> Iterator[NightLine]:
    for path, content in files.read_all("nights"):
        for line in content.splitlines():
            try:
                yield NightLine.parse(line, path)
            except InputError:
                continue  # `history check` names it


def _read_alerts(files: BranchFiles) -> list[AlertLine]:
    try:
        return read_alert_lines(files)
    except InputError:
        return []


def describe_actor(entry: AuditEntry) -> str:
    """Return who or what acted: `ann (id 98712)`, `a workflow started by push`."""
    by = entry.by
    account = f" (id {by.actor_id})" if by.actor_id else ""
    if by.kind == "workflow":
        event = f" after {by.event}" if by.event else ""
        return f"a workflow{event}, started by {by.actor}{account}" if by.actor else f"a workflow{event}"
    return f"{by.actor or 'somebody'}{account}"
