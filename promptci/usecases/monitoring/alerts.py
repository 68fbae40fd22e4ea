"""Check the alerts: evaluate the rules on monitor.json, keep what changed, and tell the people."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from promptci.app.audit_actor import find_actor, find_run_url
from promptci.audit import log as audit_log
from promptci.config.alert_options import AlertOptions, WebhookOptions
from promptci.config.find import load_revision_config, require_named_config
from promptci.documents.document import Document
from promptci.errors import PromptciError, UsageError
from promptci.git.data_branch import BranchFiles, DataBranch
from promptci.git.repo import Repo
from promptci.git.snapshot import WORK_TREE
from promptci.history.branch_records import RecordLine, add_lines
from promptci.lazy_dataclass import dataclass
from promptci.monitor.alerts.evaluate import DATA_RULE, AlertEvaluation, AlertLook, evaluate_alerts, spell_moment
from promptci.monitor.alerts.line import ALERTS, AlertLine, find_resolved, read_alert_lines
from promptci.monitor.document import MonitorDocument
from promptci.present import alert_text
from promptci.present.alert_text import ShownState
from promptci.present.finding_text.describe import describe
from promptci.publish import webhook
from promptci.publish.github.issues import IssueTracker, connect_tracker
from promptci.redact import Redactor

LABEL = "promptci"
CLOSED_AGAIN = timedelta(days=7)
"""An issue whose closing failed is closed at a later look within this time."""
DECISIONS = {"opened": "alert-opened", "resolved": "alert-closed"}


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertsRequest:
    """One look."""

    root: Path
    config_path: str
    monitor: Path
    environ: Mapping[str, str]
    now: datetime
    remote: str = "origin"
    push: bool = False
    """Whether the changes are pushed to the remote's branch; else they stay in this clone."""
    dry_run: bool = False


class AlertRow(BaseModel):
    """One rule on one prompt."""

    rule: str = Field(description="Name of the rule; `data` for missing data.")
    prompt: str = Field(description="Empty for missing data.")
    state: ShownState
    since: str | None = Field(description="First look at which it fired; null where it does not.")
    event: str | None = Field(description="What changed at this look; null: nothing.")
    text: str
    issue: str | None = Field(default=None, description="Address of the alert's GitHub issue.")


class AlertsDocument(Document):
    """What a check of the alerts found."""

    schema_: Literal["promptci/alerts/v1"] = Field(default="promptci/alerts/v1", alias="schema")
    at: str
    data: str = Field(description="`ok`, or why nothing is known: `missing`, `empty`, `old-look`, `ahead`, `old-data`.")
    open: int
    alerts: list[AlertRow]
    problems: list[str] = Field(description="What could not be delivered.")
    dry_run: bool

    @property
    def exit_code(self) -> int:
        """1: an alert is open. 4: nothing is known, or somebody could not be told."""
        if self.open:
            return 1
        return 4 if self.data != "ok" or self.problems else 0


@dataclass(kw_only=True, slots=True)
class _Check:
    """A look on its way: what was found, and who was told."""

    request: AlertsRequest
    evaluation: AlertEvaluation
    history: list[AlertLine]
    """Changes of all looks, this one's included."""
    issues: dict[tuple[str, str], str]
    problems: list[str]


def check_alerts(request: AlertsRequest) -> tuple[AlertsDocument, tuple[AlertLook, ...]]:
    """Take one look at the alerts; keep what changed on the history branch, and tell the people.

    Raises
    ------
    UsageError
        Where there are no rules.
    InputError
        If monitor.json or a line of the history cannot be read.
    GitError
        If the changes cannot be kept: then nobody is told.
    """
    repo = Repo.discover(request.root)
    options = _load_options(repo, request.config_path)
    monitor = MonitorDocument.load(request.monitor) if request.monitor.exists() else None
    check = _keep_changes(repo, request, options, monitor)
    if not request.dry_run:
        _update_issues(check)
        if options.webhook:
            _post(check, options.webhook)
    return _build_document(check, options), check.evaluation.looks


def _load_options(repo: Repo, config_path: str) -> AlertOptions:
    with closing(repo.snapshot(WORK_TREE)) as snapshot:
        require_named_config([snapshot], config_path)
        options = load_revision_config(snapshot, config_path).alerts
    if not options.rules:
        raise UsageError(f"{config_path} has no alerts", "Write rules under `alerts: rules:`; docs/alerts.md has some.")
    return options


def _keep_changes(repo: Repo, request: AlertsRequest, options: AlertOptions, monitor: MonitorDocument | None) -> _Check:
    branch = DataBranch(root=repo.root, remote=request.remote if request.push else None)
    check: _Check | None = None

    def change(files: BranchFiles) -> dict[str, bytes | None]:
        nonlocal check
        history = read_alert_lines(files)
        evaluation = evaluate_alerts(options, monitor, history, request.now)
        check = _Check(
            request=request,
            evaluation=evaluation,
            history=[*history, *evaluation.lines],
            issues={},
            problems=[],
        )
        if not evaluation.lines:
            return {}
        path = ALERTS.path_for(request.now.date())
        contents = add_lines(files, [RecordLine(path=path, content=line.line()) for line in evaluation.lines])
        decided = [_audit_fields(look) for look in evaluation.looks if look.event in DECISIONS]
        if decided:
            actor = find_actor(repo.root, request.environ)
            contents |= audit_log.chain_entries(files, decided, now=request.now, by=actor)[0]
        return contents

    if request.dry_run:
        change(branch.fetch())
    else:
        branch.append(change, "Record alerts")
    if check is None:
        raise UsageError("No look was taken", "Run it again.")
    return check


def _audit_fields(look: AlertLook) -> dict[str, object]:
    text = alert_text.alert_line(look)
    return {"what": DECISIONS[look.event or ""], "prompt": look.prompt or None, "why": text[:2000]}


def _update_issues(check: _Check) -> None:
    """Bring the issues in line with the alerts: one for each that is open, none for the others."""
    environ = check.request.environ
    with connect_tracker(environ, [LABEL]) as tracker:
        if tracker is None:
            return
        try:
            for look in check.evaluation.looks:
                if look.is_open:
                    _open_issue(check, look, tracker)
            _close_issues(check, tracker)
        except PromptciError as error:
            check.problems.append(str(error))


def _open_issue(check: _Check, look: AlertLook, tracker: IssueTracker) -> None:
    redactor = Redactor.from_environ(check.request.environ)
    body = alert_text.issue_body(look, spell_moment(check.request.now), find_run_url(check.request.environ))
    title = alert_text.alert_title(look.rule, look.prompt)
    key = (look.rule, look.prompt)
    check.issues[key] = tracker.open_or_update(_key(key), redactor.redact(title), redactor.redact(body))


def _close_issues(check: _Check, tracker: IssueTracker) -> None:
    since = spell_moment(check.request.now - CLOSED_AGAIN)
    resolved = {line.key: line.at for line in check.history if line.what == "resolved"}
    for key in sorted(find_resolved(check.history, since)):
        url = tracker.close(_key(key), alert_text.closing_comment(resolved[key]))
        if url is not None:
            check.issues[key] = url


def _post(check: _Check, options: WebhookOptions) -> None:
    """Post what opened and closed at this look."""
    looks = [look for look in check.evaluation.looks if look.event in DECISIONS]
    if not looks:
        return
    url = check.request.environ.get(options.url_env)
    if not url:
        check.problems.append(f"The chat was not told: the variable `{options.url_env}` is not set")
        return
    redactor = Redactor.from_environ(check.request.environ, options.url_env)
    opened = sum(look.event == "opened" for look in looks)
    title = f"promptci: {opened} opened, {len(looks) - opened} resolved"
    links = [check.issues.get((look.rule, look.prompt)) for look in looks]
    lines = [
        f"{str(look.event).capitalize()}: {alert_text.alert_line(look)}{f' {link}' if link else ''}"
        for look, link in zip(looks, links, strict=True)
    ]
    try:
        webhook.post_message(
            url, webhook.build_message(options.shape, title, [redactor.redact(line) for line in lines])
        )
    except webhook.WebhookError as error:
        check.problems.append(f"The chat was not told: {redactor.redact(str(error))}")


def _key(key: tuple[str, str]) -> str:
    return "\0".join(("alert", *key))


def _build_document(check: _Check, options: AlertOptions) -> AlertsDocument:
    names = (options.webhook.url_env,) if options.webhook else ()
    redactor = Redactor.from_environ(check.request.environ, *names)
    rows = [
        AlertRow(
            rule=look.rule,
            prompt=look.prompt,
            state=alert_text.look_state(look),
            since=look.state.since if look.state else None,
            event=look.event,
            text=redactor.redact(describe(look.finding).text),
            issue=check.issues.get((look.rule, look.prompt)),
        )
        for look in check.evaluation.looks
    ]
    return AlertsDocument(
        at=spell_moment(check.request.now),
        data=check.evaluation.data,
        open=sum(look.is_open for look in check.evaluation.looks),
        alerts=rows,
        problems=check.problems,
        dry_run=check.request.dry_run,
    )


def alert_lines(document: AlertsDocument) -> Iterator[str]:
    """Yield what a person reads."""
    for row in document.alerts:
        since = f" since {row.since}" if row.since else ""
        issue = f" {row.issue}" if row.issue else ""
        yield f"{row.state}{since}: {alert_text.alert_title(row.rule, row.prompt)}: {row.text}{issue}"
    yield from (f"problem: {problem}" for problem in document.problems)
    yield f"data: {document.data}; {document.open} open"


def is_alarming(look: AlertLook) -> bool:
    """Return whether a run's page shows it: an open alert, or data that says nothing."""
    return look.is_open or (look.firing is True and look.rule == DATA_RULE)
