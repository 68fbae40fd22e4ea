"""Build the site from checked-out repositories and the records that are files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from promptci import wording
from promptci.documents.written_files import WrittenFiles
from promptci.errors import UsageError
from promptci.git.repo import Repo
from promptci.lazy_dataclass import dataclass
from promptci.monitor.document import MonitorDocument
from promptci.monitor.summary import summarize
from promptci.redact import Redactor
from promptci.report.canary_document import CanaryDocument, CanaryPromptRow
from promptci.report.model.judge import JudgeView
from promptci.report.model.judge_calibration import CalibrationDocument
from promptci.site import build
from promptci.site.build import SiteBuild
from promptci.site.collect.repository import GivenRecords, RepositorySource, collect_repository
from promptci.site.collect.version_changes import VersionChanges
from promptci.site.model import CanaryMetric, JudgeAgreement, SiteCanaryLook, SiteEvidence, SiteRecords, SiteRepository
from promptci.site.pages.frame import Frame

NOTHING_SHOWN, PARTLY_SHOWN = 4, 1
DEFAULT_STALE_HOURS = 26.0
"""A nightly build, and two hours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SiteRequest:
    """What the site is made from."""

    roots: tuple[Path, ...]
    """Repositories, by a folder of each."""
    out: Path
    now: datetime
    environ: Mapping[str, str]
    config_path: str = "promptci.yml"
    remote: str = "origin"
    revision: str | None = None
    """None: the default branch of each."""
    monitors: tuple[str, ...] = ()
    """Paths of monitor.json, with several repositories as NAME=PATH."""
    canaries: tuple[str, ...] = ()
    judges: tuple[str, ...] = ()
    title: str | None = None
    url: str = ""
    """Address of the site, for whole links in the feed."""
    stale_hours: float = DEFAULT_STALE_HOURS
    is_demo: bool = False
    dry_run: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeSite:
    """A site that was built."""

    build: SiteBuild
    records: SiteRecords
    frame: Frame
    out: Path
    dry_run: bool = False

    @property
    def exit_code(self) -> int:
        """Not 0 where there is nothing to show, or something could not be read."""
        if not self.records.prompts:
            return NOTHING_SHOWN
        return PARTLY_SHOWN if self.build.document.problems or self.build.large else 0


def make_site(request: SiteRequest) -> MadeSite:
    """Build the site.

    Raises
    ------
    UsageError
        Where two repositories have one name, or a record names a repository that is not there.
    InputError
        If a record cannot be read.
    GitError, ConfigError
        If a folder is no repository, or its promptci.yml is wrong.
    """
    redactor = Redactor.from_environ(request.environ)
    sources = _find_sources(request)
    records_by_name = _load_given(request, [source.name for source in sources], redactor)
    changes = {}
    repositories: list[SiteRepository] = []
    for source in sources:
        records = records_by_name.get(source.name, GivenRecords())
        repositories.append(collect_repository(source, records, redactor.redact))
        reader = VersionChanges(Repo.discover(source.root), source.config_path, redactor.redact)
        changes[source.name] = reader.read
    newest = [_load_monitor(path, redactor).newest for _, path in _split_names(request.monitors, sources[0].name)]
    records_of_all = SiteRecords(
        repositories=tuple(repositories),
        made_at=f"{request.now:%Y-%m-%dT%H:%M:%SZ}",
        log_newest=max((moment for moment in newest if moment), default=""),
    )
    title = request.title or ", ".join(source.name for source in sources[:4])
    frame = Frame.create(
        records_of_all, title=redactor.redact(title), stale_hours=request.stale_hours, is_demo=request.is_demo
    )
    built = build.build_site(records_of_all, frame, changes, request.out, site_url=request.url, dry_run=request.dry_run)
    return MadeSite(build=built, records=records_of_all, frame=frame, out=request.out, dry_run=request.dry_run)


def describe_site(site: MadeSite) -> WrittenFiles:
    """Return what was built, for programs and people."""
    files = sorted([*site.build.document.pages, build.SITE_FILE])
    return WrittenFiles(
        files=[str(site.out / path) for path in files], notes=list(_list_notes(site)), dry_run=site.dry_run
    )


def _list_notes(site: MadeSite) -> Iterator[str]:
    document = site.build.document
    yield f"{wording.count(document.prompts, 'prompt')}; {site.build.drawn} pages drawn, {site.build.kept} unchanged"
    for repository in site.records.repositories:
        if not repository.has_history:
            yield (
                f"note: {repository.name} has no branch promptci/history here: nights, alerts and the audit log are not"
                f" shown. {repository.history_hint}"
            )
    yield from (f"problem: {problem}" for problem in document.problems[:20])
    yield from (f"problem: {path} is larger than {build.MAX_PAGE_BYTES:,} bytes" for path in site.build.large)
    if not document.prompts:
        yield "problem: no prompt was found, so there is nothing to show; see `prompts.include` in promptci.yml"
    yield f"site: {site.out / 'index.html'}{', not written' if site.dry_run else ''}"


def _find_sources(request: SiteRequest) -> list[RepositorySource]:
    roots = [Repo.discover(root).root for root in request.roots]
    names = [root.name for root in roots]
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        raise UsageError(
            f"Two repositories have the name `{doubled[0]}`", "Check them out into folders of other names."
        )
    return [
        RepositorySource(
            root=root, name=name, remote=request.remote, config_path=request.config_path, revision=request.revision
        )
        for root, name in zip(roots, names, strict=True)
    ]


def _split_names(paths: Sequence[str], default: str) -> Iterator[tuple[str, Path]]:
    """Yield repository and path of each `NAME=PATH` or `PATH`."""
    for text in paths:
        name, separator, path = text.partition("=")
        yield (name, Path(path)) if separator and not Path(text).exists() else (default, Path(text))


def _load_given(request: SiteRequest, names: Sequence[str], redactor: Redactor) -> dict[str, GivenRecords]:
    monitored: dict[str, dict[str, object]] = {name: {} for name in names}
    looks: dict[str, list[SiteCanaryLook]] = {name: [] for name in names}
    judges: dict[str, dict[str, JudgeAgreement]] = {name: {} for name in names}

    def check(name: str) -> str:
        if name not in monitored:
            raise UsageError(f"There is no repository `{name}` on the site", f"There are: {', '.join(names)}.")
        return name

    for name, path in _split_names(request.monitors, names[0]):
        monitored[check(name)].update({each.name: each for each in summarize(_load_monitor(path, redactor))})
    for name, path in _split_names(request.canaries, names[0]):
        looks[check(name)] += describe_looks(CanaryDocument.load(path).redacted(redactor))
    for name, path in _split_names(request.judges, names[0]):
        calibrated = CalibrationDocument.load(path).redacted(redactor).prompts
        judges[check(name)].update({prompt: _describe_judge(judge) for prompt, judge in calibrated.items()})
    return {
        name: GivenRecords(monitored=monitored[name], looks=looks[name], judges=judges[name])  # type: ignore[arg-type]
        for name in names
    }


def _load_monitor(path: Path, redactor: Redactor) -> MonitorDocument:
    return MonitorDocument.load(path).redacted(redactor)


def describe_looks(document: CanaryDocument) -> list[SiteCanaryLook]:
    """Return what the site shows of canary.json."""
    return [_describe_look(document, row) for row in document.prompts if row.canary]


def _describe_look(document: CanaryDocument, row: CanaryPromptRow) -> SiteCanaryLook:
    return SiteCanaryLook(
        at=document.at,
        environment=document.environment,
        prompt=row.prompt,
        stable=row.stable,
        canary=row.canary or "",
        share=row.new_share,
        outcome=row.outcome,
        reasons=tuple(finding.text for finding in row.findings),
        metrics=tuple(
            CanaryMetric(
                metric=metric.metric,
                stable=metric.stable,
                canary=metric.canary,
                stable_n=metric.stable_n,
                canary_n=metric.canary_n,
                need_worse=metric.need_worse,
                need_fine=metric.need_fine,
                status=metric.status,
            )
            for metric in row.metrics
        ),
        evidence=tuple(
            SiteEvidence(
                at=point.at,
                metric=point.metric,
                share=point.share,
                stable_n=point.control_n,
                canary_n=point.canary_n,
                drop=point.drop or 0.0,
                log_e_worse=point.log_e_worse,
                log_e_fine=point.log_e_fine,
            )
            for point in row.evidence
        ),
    )


def _describe_judge(judge: JudgeView) -> JudgeAgreement:
    calibration = judge.calibration
    return JudgeAgreement(
        model=", ".join(judge.identities),
        kappa=calibration.kappa if calibration else None,
        interval=calibration.kappa_interval if calibration else None,
        labels=calibration.scored if calibration else 0,
        trusted=judge.trusted,
    )
