"""Rows of the benchmark's result: what was measured, the target, and the command that repeats it."""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One figure."""

    part: str
    """Heading under which it stands."""
    what: str
    measured: float | None
    """None: it could not be measured; `note` says why."""
    target: float | None = None
    """The largest value that holds; None: there is no target, and the figure is for comparison."""
    at_least: bool = False
    """The target is the smallest value that holds instead."""
    unit: str
    """`s`, `×`, `MB`, `%` or `calls`."""
    note: str = ""
    command: str

    @property
    def held(self) -> bool | None:
        """Whether the target is reached; None without a target. What was not measured is missed."""
        if self.target is None:
            return None
        if self.measured is None:
            return False
        return self.measured >= self.target if self.at_least else self.measured <= self.target


@dataclass(frozen=True, kw_only=True, slots=True)
class PartOptions:
    """How a part is measured."""

    quick: bool = False
    """With few cases and one round: to see that everything works."""


Measure = Callable[[PartOptions], list[Row]]


def run_part(measure: Measure, description: str | None) -> None:
    """Measure one part from the command line, print its rows, and write them where `--json` says."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, one round, no targets")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    options = parser.parse_args()
    rows = measure(PartOptions(quick=options.quick))
    if options.quick:  # targets are of the full sizes
        rows = [replace(row, target=None) for row in rows]
    print_rows(rows)
    if options.json:
        dump_rows(rows, options.json)


def print_rows(rows: list[Row]) -> None:
    """Print rows for a person who waits."""
    for row in rows:
        verdict = {None: "", True: "held", False: "MISSED"}[row.held]
        cells = (row.part, row.what, format_target(row), format_value(row), f"{verdict} {row.note}")
        print(" | ".join(cells), flush=True)


def format_value(row: Row) -> str:
    """Return the measured value with its unit."""
    return "not measured" if row.measured is None else _format(row.measured, row.unit)


def format_target(row: Row) -> str:
    """Return the target with its unit."""
    if row.target is None:
        return ""
    return f"{'≥' if row.at_least else '≤'} {_format(row.target, row.unit, short=True)}"


def _format(value: float, unit: str, *, short: bool = False) -> str:
    digits = 0 if unit in {"MB", "calls"} else 1 if unit == "%" else 3 if value < 0.1 else 2
    return f"{value:g} {unit}" if short else f"{value:,.{digits}f} {unit}"


def dump_rows(rows: list[Row], path: Path) -> None:
    """Write rows as JSON."""
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load_rows(path: Path) -> list[Row]:
    """Load what `dump_rows` wrote."""
    return [Row(**row) for row in json.loads(path.read_text(encoding="utf-8"))]
