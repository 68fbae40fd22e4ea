"""monitor.json in words: a table for the terminal, and Markdown for the step summary."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from promptci.monitor.document import MonitorDocument
from promptci.monitor.summary import ArmSummary, MonitoredPrompt, summarize
from promptci.present import escape, formatting
from promptci.report.monitor_page import arm_name, format_amount, is_stale, short_time

TITLES = ("prompt", "version", "requests", "quality", "failed", "p50", "p95", "p99", "cost/request", "cost")
TEXT_COLUMNS = 2


def terminal_lines(document: MonitorDocument, stale_after: timedelta) -> Iterator[str]:
    """Yield what was read, a table of the versions, and what changed."""
    for row in document.coverage:
        counted = [f"{row.lines:,} lines", row.format]
        notes = (("bad", row.bad), ("other", row.other), ("unmatched", row.unmatched), ("repeated", row.repeated))
        counted += [f"{count:,} {name}" for name, count in notes if count]
        yield f"{row.file}: {', '.join(counted)}"
    yield from (f"not counted: {problem}" for problem in document.problems)
    prompts = summarize(document)
    yield from _table([TITLES, *(_cells(prompt, arm) for prompt in prompts for arm in prompt.arms)])
    for prompt in prompts:
        yield from (f"{prompt.name}: {text}" for text in change_texts(prompt))
    yield freshness(document, stale_after)


def freshness(document: MonitorDocument, stale_after: timedelta) -> str:
    """Return how old the newest line is, in words."""
    newest = document.newest
    if newest is None:
        return "NO DATA: no line has a time."
    start = "NO DATA: the newest line is of" if is_stale(document, stale_after) else "newest line:"
    return f"{start} {short_time(newest)} UTC"


def change_texts(prompt: MonitoredPrompt) -> list[str]:
    """Return a sentence for each model that began to answer."""
    return [
        f"requests to {change.request_model} are answered by {change.after} since {short_time(change.at)} UTC,"
        f" before by {change.before}"
        for change in prompt.changes
    ]


def markdown(document: MonitorDocument, stale_after: timedelta) -> str:
    """Return the table and the changes as Markdown."""
    prompts = summarize(document)
    rows = [_cells(prompt, arm) for prompt in prompts for arm in prompt.arms]
    lines = ["## promptci monitor", "", _row(TITLES), _row([":--"] * TEXT_COLUMNS + ["--:"] * (len(TITLES) - 2))]
    lines += [_row([str(escape.inline(cell)) for cell in row]) for row in rows]
    lines += ["", *(f"- {escape.inline(f'{each.name}: {text}')}" for each in prompts for text in change_texts(each))]
    return "\n".join([*lines, "", str(escape.inline(freshness(document, stale_after))), ""])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(prompt: MonitoredPrompt, arm: ArmSummary) -> Sequence[str]:
    traffic, latency = arm.traffic, arm.latency
    quality = "not judged"
    if traffic.quality is not None and traffic.interval is not None:
        low, high = map(formatting.percent, traffic.interval)
        quality = f"{formatting.percent(traffic.quality)} ({low} to {high})"
    cost = traffic.cost_per_request
    return (
        prompt.name,
        f"{arm.version or 'unknown'} {arm_name(arm.arm)}",
        f"{traffic.requests:,}",
        quality,
        formatting.percent(traffic.failed / traffic.requests),
        *(
            "too few" if value is None else formatting.duration(value)
            for value in (latency.p50, latency.p95, latency.p99)
        ),
        formatting.money(None if cost is None else float(cost)),
        format_amount(traffic),
    )


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    shown = [[escape.one_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[place]) for row in shown) for place in range(len(TITLES))]
    for row in shown:
        cells = [
            cell.ljust(width) if place < TEXT_COLUMNS else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
