"""The pages of the benchmark show what was measured, and what is missed as missed."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import generate_docs  # puts the folder of the benchmark on the path
import performance_page as page
import pytest
from performance_page import Results
from rows import Row

ROOT = Path(generate_docs.__file__).parents[1]


def make_row(title: str, measured: float | None, target: float | None = None, **options: Any) -> Row:
    fields = {"part": "Speed", "unit": "×", "command": "python benchmarks/throughput.py"}
    return Row(what=title, measured=measured, target=target, **{**fields, **options})


def make_results(*rows: Row) -> Results:
    return Results(
        at="2026-01-02 03:04 UTC",
        minutes=17.5,
        machine="2 cores",
        load=0.1,
        versions={"Python": "3.11"},
        rows={"throughput": list(rows)},
    )


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (make_row("a", 1.234, 1.5), "| a | ≤ 1.5 × | 1.23 × | held | `python benchmarks/throughput.py` |"),
        (make_row("a", 1.6, 1.5), "| a | ≤ 1.5 × | 1.60 × | **MISSED** | `python benchmarks/throughput.py` |"),
        (
            make_row("a", None, 1.5, note="it\nfailed | here"),
            "| a (it failed \\| here) | ≤ 1.5 × | not measured | **MISSED** | `python benchmarks/throughput.py` |",
        ),
        (
            make_row("a", 0.95, 0.9, at_least=True),
            "| a | ≥ 0.9 × | 0.95 × | held | `python benchmarks/throughput.py` |",
        ),
        (
            make_row("a", 444.4, 400, unit="MB"),
            "| a | ≤ 400 MB | 444 MB | **MISSED** | `python benchmarks/throughput.py` |",
        ),
        (make_row("a", 3.0), "| a |  | 3.00 × |  | `python benchmarks/throughput.py` |"),
    ],
)
def test_a_row_shows_target_figure_verdict_and_command(row: Row, line: str) -> None:
    pages = page.render_pages(make_results(row))
    assert line in pages[page.PAGE].splitlines()
    assert line in pages[page.TABLES].splitlines()


def test_misses_are_counted_and_what_has_no_target_is_not() -> None:
    results = make_results(make_row("a", 1.0, 1.5), make_row("b", None, 1.5), make_row("c", 9.0))
    assert "- 1 of 2 targets held, 1 missed" in page.render_pages(results)[page.TABLES].splitlines()


def test_results_are_loaded_as_they_were_written(tmp_path: Path) -> None:
    results = make_results(make_row("a", 1.0, 1.5), make_row("b", None))
    page.dump_results(results, tmp_path / "results.json")
    assert page.load_results(tmp_path / "results.json") == results


def test_the_readme_has_figures_of_the_results_only() -> None:
    row = make_row("1,000 cases: `run`, of the aiohttp script", 1.42, 1.5)
    memory = make_row("memory of `run`, 100,000 cases in one file of 198 MB", 380.2, 400, unit="MB")
    text = page.render_speed(make_results(row, memory))
    assert "A run of 1,000 cases takes 1.42 times what a bare aiohttp script with the same requests takes." in text
    assert "A run of 100,000 cases in one file of 198 MB needs 380 MB of memory." in text
    assert "10,000 cases takes" not in text
    unmeasured = page.render_speed(make_results(replace(row, measured=None)))
    assert re.search(r"\d times", unmeasured) is None


def test_every_command_of_the_results_names_a_script_that_is_there() -> None:
    rows = [row for part in page.load_results().rows.values() for row in part]
    scripts = {row.command.removeprefix("python ").split()[0] for row in rows}
    assert scripts
    assert [script for script in sorted(scripts) if not (ROOT / script).is_file()] == []
