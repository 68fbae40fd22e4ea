"""The pages of the benchmark, written from results.json: RESULTS.md, docs/performance.md, a section of README.md."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from rows import Row, format_target, format_value

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results.json"
TABLES = ROOT / "benchmarks" / "RESULTS.md"
PROFILE = ROOT / "benchmarks" / "PROFILE.md"
PAGE = ROOT / "docs" / "performance.md"
README = ROOT / "README.md"
SPEED = re.compile(r"(?<=<!-- speed: written by make docs -->\n).*?(?=<!-- end of speed -->)", re.DOTALL)
"""The part of the README."""
PREFACE = """# Performance

`make bench` measures this page's figures in whole processes, with every setting of promptci as by default and with
cases of a realistic size: 3 kB in, 1 kB out. The endpoint runs on the same machine and answers after 50 ms. Each row
names the command that repeats it; run it with `.venv/bin/python` in a clone after `make install`. `make bench-quick`
tries all of it in three minutes.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    """What one run of the benchmark measured."""

    at: str
    minutes: float
    machine: str
    load: float
    """Load average of the machine before it began."""
    versions: Mapping[str, str]
    rows: Mapping[str, list[Row]]
    """By part."""


def load_results(path: Path = RESULTS) -> Results:
    """Load what `dump_results` wrote."""
    value = json.loads(path.read_text(encoding="utf-8"))
    return Results(**{**value, "rows": {name: [Row(**row) for row in rows] for name, rows in value["rows"].items()}})


def dump_results(results: Results, path: Path = RESULTS) -> None:
    """Write results as JSON."""
    path.write_text(json.dumps(asdict(results), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def render_pages(results: Results) -> dict[Path, str]:
    """Return the text of every file that is written from the results."""
    tables = "\n".join([*_describe_run(results), *_tables(results)])
    readme = README.read_text(encoding="utf-8")
    return {
        TABLES: f"# Results of `make bench`\n\n{tables}",
        PAGE: f"{PREFACE}\n{tables}\n{PROFILE.read_text(encoding='utf-8')}",
        README: SPEED.sub(lambda _: render_speed(results), readme),
    }


def _describe_run(results: Results) -> Iterator[str]:
    rows = [row for part in results.rows.values() for row in part]
    with_target = [row for row in rows if row.held is not None]
    missed = [row for row in with_target if not row.held]
    yield f"- {results.at}, {results.machine}; load average {results.load:g} before it began"
    yield f"- Measuring took {results.minutes:g} minutes"
    yield f"- {', '.join(f'{name} {version}' for name, version in results.versions.items())}"
    yield f"- {len(with_target) - len(missed)} of {len(with_target)} targets held, {len(missed)} missed"
    yield ""


def _tables(results: Results) -> Iterator[str]:
    headings: dict[str, list[Row]] = {}
    for part in results.rows.values():
        for row in part:
            headings.setdefault(row.part, []).append(row)
    for heading, rows in headings.items():
        yield f"## {heading}"
        yield ""
        yield "| | target | measured | | to repeat it |\n|:--|--:|--:|:--|:--|"
        yield from map(_format_row, rows)
        yield ""


def _format_row(row: Row) -> str:
    verdict = {None: "", True: "held", False: "**MISSED**"}[row.held]
    note = " ".join(row.note.split()).replace("|", "\\|")
    what = f"{row.what} ({note})" if note else row.what
    return f"| {what} | {format_target(row)} | {format_value(row)} | {verdict} | `{row.command}` |"


def render_speed(results: Results) -> str:
    """Return the README's part: what a run takes beside others, with figures of the results only."""
    measured = {row.what: row for part in results.rows.values() for row in part if row.measured is not None}
    sentences = []
    names = {"the aiohttp script": "a bare aiohttp script with the same requests", "promptfoo": "promptfoo"}
    for count in ("1,000", "10,000"):
        ratios = [
            f"{measured[what].measured:.2f} times what {shown} takes"
            for name, shown in names.items()
            if (what := f"{count} cases: `run`, of {name}") in measured
        ]
        if ratios:
            sentences.append(f"A run of {count} cases takes {' and '.join(ratios)}.")
    memory = next((row for row in measured.values() if row.what.startswith("memory of `run`")), None)
    if memory is not None and memory.measured is not None:
        what = memory.what.removeprefix("memory of `run`, ")
        sentences.append(f"A run of {what} needs {memory.measured:.0f} MB of memory.")
    text = " ".join([f"Measured on {results.machine}:", *sentences, ""]) if sentences else ""
    page = "`make bench` measures this on your machine; [every figure](docs/performance.md), missed targets too."
    return f"{text}{page}\n"
