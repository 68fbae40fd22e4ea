"""Read request logs and compute the tables of the monitor; write monitor.json and the page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from promptci.config.find import load_revision_config
from promptci.errors import GitError, InputError, Problem
from promptci.files import write
from promptci.git.data_branch import find_branch
from promptci.git.repo import Repo
from promptci.git.snapshot import WORK_TREE
from promptci.lazy_dataclass import dataclass
from promptci.monitor import engines, month
from promptci.monitor.build import MonitorPlan, build_document, format_time
from promptci.monitor.document import CoverageRow, MonitorDocument
from promptci.report import monitor_page
from promptci.requestlog import read
from promptci.requestlog.formats.database import MAX_BAD_SHARE, FileTimes, LogDatabase, LogFileRead


@dataclass(frozen=True, kw_only=True, slots=True)
class MonitorRequest:
    """What to monitor."""

    root: Path
    logs: tuple[str, ...]
    """Paths and globs; names of tables for an engine other than DuckDB."""
    now: datetime
    since: datetime | None = None
    until: datetime | None = None
    prompts: tuple[str, ...] = ()
    """Prompts that are shown; empty: all."""
    engine: str = engines.DUCKDB
    config: str = "promptci.yml"


def compute_monitor(request: MonitorRequest) -> MonitorDocument:
    """Return the tables.

    Raises
    ------
    InputError
        If a log cannot be read, or holds no request of the time and prompts that were asked for.
    """
    engines.require_ibis()
    names = _own_names(request)
    document = _from_files(request, names) if request.engine == engines.DUCKDB else _from_engine(request, names)
    document = select_prompts(document, request.prompts)
    if not document.traffic:
        raise InputError([_nothing(request, document)])
    return document


def _own_names(request: MonitorRequest) -> dict[str, str]:
    """Return the names that promptci.yml gives to fields; outside a repository there are none."""
    try:
        snapshot = Repo.discover(request.root).snapshot(WORK_TREE)
    except GitError:
        return {}
    return dict(load_revision_config(snapshot, request.config).log_columns)


def _from_files(request: MonitorRequest, names: dict[str, str]) -> MonitorDocument:
    paths = read.expand_patterns(request.logs)
    with LogDatabase(names, request.now) as database:
        database.read(paths)
        log = engines.open_duckdb(database.connection, has_marks=database.has_marks)
        plan = MonitorPlan(
            made_at=request.now,
            engine=request.engine,
            since=request.since,
            until=request.until,
            files=[str(path) for path in paths],
            problems=[str(problem) for problem in database.problems],
            coverage=[_coverage(each, times) for each, times in database.coverage()],
        )
        return build_document(log, plan)


def _coverage(each: LogFileRead, times: FileTimes) -> CoverageRow:
    return CoverageRow(
        file=str(each.path),
        format=each.format,
        bytes=each.bytes,
        lines=each.lines,
        bad=each.bad,
        other=each.other,
        late=each.late,
        repeated=times.repeated,
        unmatched=times.unmatched,
        newest=None if times.newest is None else format_time(times.newest),
    )


def _from_engine(request: MonitorRequest, names: dict[str, str]) -> MonitorDocument:
    if len(request.logs) != 1:
        place = request.logs[1] if request.logs else "--log"
        message = f"{request.engine} reads one table, and {len(request.logs)} were named"
        raise InputError([Problem(path=place, message=message, hint="Name one table or view.")])
    (name,) = request.logs
    table = engines.find_table(request.engine, name, names, request.now)
    if table.bad > MAX_BAD_SHARE * table.lines:
        share = f"{table.bad:,} of {table.lines:,} rows"
        message = f"{share} have no time, id or prompt, or a time in the future, over {MAX_BAD_SHARE:.0%}"
        raise InputError([Problem(path=name, message=message, hint="Correct the table, or map its columns.")])
    newest = None if table.newest is None else format_time(table.newest)
    coverage = CoverageRow(
        file=name,
        format=f"table of {request.engine.partition(':')[0]}",
        bytes=None,
        lines=table.lines,
        bad=table.bad,
        other=0,
        late=0,
        repeated=table.repeated,
        unmatched=0,
        newest=newest,
    )
    plan = MonitorPlan(
        made_at=request.now,
        engine=request.engine.partition(":")[0],
        since=request.since,
        until=request.until,
        files=[name],
        problems=[],
        coverage=[coverage],
    )
    return build_document(table.log, plan)


def record_months(document: MonitorDocument, root: Path, remote: str) -> None:
    """Add the figures of each month to the history branch and push it.

    Raises
    ------
    InputError, GitError
        If the branch cannot be read or pushed.
    """
    lines = month.summarize_months(document)
    branch = find_branch(Repo.discover(root).root, remote)
    branch.append(lambda files: month.merge_months(files, lines), "Add figures of months")


def select_prompts(document: MonitorDocument, prompts: Sequence[str]) -> MonitorDocument:
    """Return the document with the rows of some prompts; of all, where none is named."""
    if not prompts:
        return document
    names = ("traffic", "latency", "models", "failing", "splits")
    return document.model_copy(
        update={name: [row for row in getattr(document, name) if row.prompt in prompts] for name in names}
    )


def _nothing(request: MonitorRequest, document: MonitorDocument) -> Problem:
    """Return why there is nothing to show; that is never a good sign."""
    lines = sum(row.lines for row in document.coverage)
    place = request.logs[0] if request.logs else "--log"
    if not document.files:
        return Problem(path=place, message="no file matches", hint="Check the glob, and that the application logs.")
    if not lines:
        return Problem(path=place, message="the log is empty", hint="Check that the application writes it.")
    seen = "" if document.newest is None else f"; the newest line is of {document.newest}"
    selection = f"of {', '.join(request.prompts)} " if request.prompts else ""
    message = f"none of {lines:,} lines is a request {selection}in the time that was asked for{seen}"
    return Problem(path=place, message=message, hint="Check --since, --until and --prompt, and the names of the log.")


def write_report(document: MonitorDocument, folder: Path, stale_after: timedelta) -> None:
    """Write monitor.json and monitor.html."""
    write.write_text(folder / "monitor.json", document.dump())
    write.write_text(folder / "monitor.html", monitor_page.render_page(document, stale_after))
