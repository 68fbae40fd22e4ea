"""Read the history branch for the site: audit entries, nights by prompt, alerts. What cannot be read is named."""

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import field

from promptci.audit.entry import AuditEntry
from promptci.errors import InputError
from promptci.git.data_branch import BranchFiles
from promptci.lazy_dataclass import dataclass
from promptci.monitor.alerts.line import AlertLine
from promptci.site.model import AlertChange, AuditRow, SiteEvent

Clean = Callable[[str], str]
"""Takes secrets out of a text."""


@dataclass(kw_only=True, slots=True)
class HistoryLines:
    """The branch's lines."""

    audit: list[AuditRow] = field(default_factory=list)
    nights: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    """By prompt, oldest first."""
    alerts: list[AlertChange] = field(default_factory=list)
    newest: str = ""
    problems: list[str] = field(default_factory=list)


def read_history(files: BranchFiles, clean: Clean) -> HistoryLines:
    """Return every line that the site shows."""
    lines = HistoryLines()
    for path, content in files.read_all():
        rows = [row for row in content.split(b"\n") if row.strip()]
        if path.startswith("audit/"):
            lines.audit += [_parse_entry(row, f"{path}:{number}", clean) for number, row in enumerate(rows, 1)]
        elif path.startswith("nights/"):
            _sort_nights(rows, path, lines)
        elif path.startswith("alerts/"):
            _parse_alerts(rows, path, lines, clean)
    unreadable = [row.place for row in lines.audit if row.event is None]
    lines.problems += [f"{place}: not an entry of the audit log" for place in unreadable]
    lines.newest = max([lines.newest, *(row.event.at for row in lines.audit if row.event)])
    return lines


def _parse_entry(row: bytes, place: str, clean: Clean) -> AuditRow:
    text = clean(row.decode(errors="replace"))
    try:
        return AuditRow(event=_read_event(AuditEntry.parse(text, place)), line=text, place=place)
    except InputError:
        return AuditRow(event=None, line=text, place=place)


def _read_event(entry: AuditEntry) -> SiteEvent:
    change = entry.change
    return SiteEvent(
        at=(change.at if change else None) or entry.at,
        what=entry.what,
        prompt=entry.prompt or "",
        environment=entry.environment or "",
        before=entry.from_.version if entry.from_ else "",
        before_share=entry.from_.share if entry.from_ else None,
        after=entry.to.version if entry.to else "",
        share=entry.to.share if entry.to else None,
        actor=((change.author if change else "") or entry.by.actor or entry.by.kind).partition(" <")[0],
        proposed_by=(change.proposed_by if change else "") or "",
        approved=tuple(f"{each.login} ({each.role})" if each.role else each.login for each in entry.approved),
        why=entry.why,
        verdict=entry.verdict or "",
        pull_request=change.pull_request if change else None,
        commit=(change.commit if change else "") or "",
        run=entry.by.run or "",
        entry=entry.n,
    )


def _sort_nights(rows: list[bytes], path: str, lines: HistoryLines) -> None:
    for number, row in enumerate(rows, 1):
        try:
            value = json.loads(row)
            prompt, at = value["prompt"], value["at"]
        except (ValueError, KeyError, TypeError, RecursionError):
            prompt, at = None, None
        if isinstance(prompt, str) and isinstance(at, str):
            lines.nights[prompt].append(row)
            lines.newest = max(lines.newest, at)
        else:
            lines.problems.append(f"{path}:{number}: not the line of a night")


def _parse_alerts(rows: list[bytes], path: str, lines: HistoryLines, clean: Clean) -> None:
    for number, row in enumerate(rows, 1):
        try:
            line = AlertLine.parse(clean(row.decode(errors="replace")), path)
        except InputError:
            lines.problems.append(f"{path}:{number}: not a change of an alert")
            continue
        lines.alerts.append(
            AlertChange(
                at=line.at,
                what=line.what,
                rule=line.rule,
                prompt=line.prompt,
                metric=line.metric,
                since=line.since,
                value=line.value,
                limit=line.limit,
                n=line.n,
            )
        )
        lines.newest = max(lines.newest, line.at)
