"""`promptci monitor`."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from promptci.cli import console, options
from promptci.cli.figures_option import figures_option
from promptci.cli.release import output
from promptci.publish.runner import workflow_commands
from promptci.redact import Redactor
from promptci.report import monitor_text
from promptci.report.figures import trend_figure
from promptci.usecases.monitoring import monitor
from promptci.usecases.monitoring.monitor import MonitorRequest

TIMES = options.Moment("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z", "%Y-%m-%d")


@click.command("monitor")
@click.option(
    "--repo",
    "root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="A folder of the git repository, for its promptci.yml; default: here.",
)
@click.option(
    "--log",
    "logs",
    multiple=True,
    required=True,
    help="Request log: a path, or a glob in quotes; may be given several times. With another engine: one table.",
)
@click.option("--since", type=TIMES, metavar="TIME", help="From this time on, such as 2026-03-02 (UTC).")
@click.option("--until", type=TIMES, metavar="TIME", help="Until this time, which is not included.")
@click.option("--prompt", "prompts", multiple=True, help="Show this prompt only; may be given several times.")
@click.option(
    "--engine",
    default="duckdb",
    show_default=True,
    help="Where the tables are computed: duckdb, or the URL of a database, such as bigquery://project/dataset.",
)
@click.option(
    "--stale-after",
    "stale_hours",
    type=click.FloatRange(min=1 / 60),
    default=2.0,
    show_default=True,
    help="Hours after which the page turns red, if the log has no newer line.",
)
@options.output_option("Folder for monitor.html and monitor.json.")
@options.now_option("Read")
@options.history_options
@click.option("--dry-run", is_flag=True, help="Print the figures; write no page, and record nothing.")
@figures_option
@output.json_option
def command(stale_hours: float, out: Path, as_json: bool, dry_run: bool, now: datetime, **others: Any) -> int:
    """Show what prompts do in production, from the request log: quality, errors, latency, cost, models.

    Reads promptci's own log, OpenTelemetry spans (OTLP/JSON), OpenInference, Langfuse and LangSmith exports, as JSON
    lines, JSON, CSV or Parquet, packed or not. The format is found from the content. Writes a page and monitor.json.

    \b
    Example:
      promptci monitor --log 'logs/*.jsonl.gz' --since 2026-03-02
      promptci monitor --log 'logs/*.jsonl.gz' --history
      promptci monitor --log requests.parquet --prompt order-extractor --json
      promptci monitor --engine bigquery://project/logs --log requests

    Exit code: 0 read, 4 nothing to show or a log that cannot be read, 2 bad usage or promptci.yml.
    """  # noqa: D301 - click's sign for lines that stay
    figures, history, remote = (others.pop(name) for name in ("figures", "history", "remote"))
    for name in ("since", "until"):
        others[name] = _in_utc(others[name])
    redactor = Redactor.from_environ(os.environ)
    document = monitor.compute_monitor(MonitorRequest(now=now, **others)).redacted(redactor)
    stale_after = timedelta(hours=stale_hours)
    if as_json:
        click.echo(document.dump(), nl=False)
    else:
        for line in monitor_text.terminal_lines(document, stale_after):
            console.say(line)
    if dry_run:
        return 0
    monitor.write_report(document, out, stale_after)
    places = [f"page: {out / 'monitor.html'}"]
    places += [f"figure: {path}" for path in trend_figure.write_figures(document, out, figures)]
    for place in () if as_json else places:
        console.say(place)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        workflow_commands.append_summary(Path(summary), monitor_text.markdown(document, stale_after))
    if history:
        monitor.record_months(document, others["root"], remote)
    return 0


def _in_utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
