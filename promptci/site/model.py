"""What the site knows of the repositories that it shows. Text of others is redacted; nothing is worded yet."""

from dataclasses import field

from promptci.lazy_dataclass import dataclass
from promptci.monitor.summary import MonitoredPrompt


@dataclass(frozen=True, kw_only=True, slots=True)
class SiteEvent:
    """One decision: an entry of the audit log, or a release or deployment that only git has."""

    at: str
    """UTC, as `2026-03-02T10:15:00Z`."""
    what: str
    prompt: str = ""
    environment: str = ""
    before: str = ""
    """Version that ran before, as `v1.2.0`."""
    before_share: float | None = None
    after: str = ""
    share: float | None = None
    """Of the requests that the version after it gets, in percent."""
    actor: str = ""
    proposed_by: str = ""
    approved: tuple[str, ...] = ()
    why: str = ""
    verdict: str = ""
    pull_request: int | None = None
    commit: str = ""
    run: str = ""
    entry: int | None = None
    """Number in the audit log; None: git knows it, the log does not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleasedVersion:
    """One release, as its tag says."""

    version: str
    commit: str
    at: str
    by: str
    fingerprint: str
    replaces: str = ""
    bump: str = ""
    verdict: str = ""
    reason: str = ""
    pull_request: str = ""
    proposed_by: str = ""
    approved_by: str = ""
    report: str = ""
    """Digest of the report that it was released on."""
    signed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionChange:
    """What differs between a version and the one that it replaced."""

    facts: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    """Unified diff of the messages."""
    problem: str = ""
    """Why it is not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunningPair:
    """What an environment runs of a prompt."""

    environment: str
    stable: str
    canary: str = ""
    share: float = 0.0
    rolled_back: str = ""
    """When the canary was rolled back; empty: it was not."""
    rollback_reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeAgreement:
    """How far a judge agrees with people, as `promptci judge` measured it."""

    model: str
    kappa: float | None
    interval: tuple[float, float] | None
    labels: int
    trusted: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertChange:
    """A change of an alert."""

    at: str
    what: str
    rule: str
    prompt: str
    metric: str
    since: str
    value: float | None
    limit: float | None
    n: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SiteEvidence:
    """How far the evidence about one metric of a canary had come."""

    at: str
    metric: str
    share: float
    stable_n: int
    canary_n: int
    drop: float
    log_e_worse: float
    log_e_fine: float


@dataclass(frozen=True, kw_only=True, slots=True)
class CanaryMetric:
    """One metric of both arms at the last look."""

    metric: str
    stable: float | None
    canary: float | None
    stable_n: int
    canary_n: int
    need_worse: float
    need_fine: float
    status: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SiteCanaryLook:
    """The last look at a canary of which the site was given the record."""

    at: str
    environment: str
    prompt: str
    stable: str
    canary: str
    share: float
    outcome: str
    reasons: tuple[str, ...]
    metrics: tuple[CanaryMetric, ...]
    evidence: tuple[SiteEvidence, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class SitePrompt:
    """Everything that is known of one prompt."""

    repository: str
    name: str
    path: str = ""
    """Empty: the default branch has no such prompt (any more)."""
    model: str = ""
    fingerprint: str = ""
    goldens: int | None = None
    goldens_problem: str = ""
    labels: int | None = None
    judge: JudgeAgreement | None = None
    versions: tuple[ReleasedVersion, ...] = ()
    """Newest first."""
    events: tuple[SiteEvent, ...] = ()
    """Newest first."""
    running: tuple[RunningPair, ...] = ()
    night_lines: tuple[bytes, ...] = ()
    """Lines of the history branch as they are, oldest first."""
    monitored: MonitoredPrompt | None = None
    alerts: tuple[AlertChange, ...] = ()
    looks: tuple[SiteCanaryLook, ...] = ()
    reference: tuple[int, str] | None = None
    """Answers to each case in the reference of drift, and its last day."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditRow:
    """A line of the audit log."""

    event: SiteEvent | None
    """None: the line cannot be read."""
    line: str
    place: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SiteRepository:
    """One repository."""

    name: str
    address: str = ""
    """Web address, such as `https://github.com/example/shop`; empty: it has none that is known."""
    commit: str = ""
    prompts: tuple[SitePrompt, ...] = ()
    events: tuple[SiteEvent, ...] = ()
    """Newest first, those of no prompt too."""
    audit: tuple[AuditRow, ...] = ()
    """Oldest first."""
    has_history: bool = False
    history_hint: str = ""
    """What to do where this clone does not have the branch promptci/history."""
    newest_record: str = ""
    """Time of the newest line of the history branch."""
    problems: tuple[str, ...] = ()
    """What could not be read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SiteRecords:
    """All that is shown."""

    repositories: tuple[SiteRepository, ...]
    made_at: str
    log_newest: str = ""
    """Newest line of the request log; empty: no monitor.json was given."""
    problems: tuple[str, ...] = field(default=())

    @property
    def prompts(self) -> tuple[SitePrompt, ...]:
        """Return the prompts of all repositories."""
        return tuple(prompt for repository in self.repositories for prompt in repository.prompts)

    @property
    def events(self) -> tuple[SiteEvent, ...]:
        """Return the decisions of all repositories, newest first."""
        events = (event for repository in self.repositories for event in repository.events)
        return tuple(sorted(events, key=lambda event: event.at, reverse=True))
