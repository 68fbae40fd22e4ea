"""Measure runs of realistic cases beside a plain aiohttp script, AsyncOpenAI, promptfoo and inspect_ai.

    python benchmarks/throughput.py [--quick] [--json rows.json]

Whole processes, one after the other, on the same cases and an endpoint that answers after 50 ms, which runs on the same
machine. promptci has no setting but its endpoint: `concurrency: auto`, cache, memory and reports are as by default. The
others ask 100 at once. Cases, endpoint and plain script are those of realistic.py.
"""

import shutil
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import realistic
import rivals
from process_cost import Cost, environ, measure, median_wall
from rows import PartOptions, Row, run_part

LATENCY_S = 0.05
AT_ONCE = 100
PART = "Runs of realistic cases"
COMMAND = "python benchmarks/throughput.py"
OF_FLOOR = "of the aiohttp script"


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasuredRun:
    """One process of promptci."""

    cost: Cost
    calls: int
    after_last_answer_s: float
    file_bytes: int


@dataclass(kw_only=True, slots=True)
class Bench:
    """One repository, and what runs on it."""

    count: int
    kind: str
    scratch: Path

    @property
    def folder(self) -> Path:
        """The repository."""
        return self.scratch / "repository"

    @contextmanager
    def serving(self, totals: dict[str, float] | None = None) -> Iterator[str]:
        """Serve, with a new repository: nothing is left of earlier runs."""
        with realistic.serving(LATENCY_S, totals, last_answer=self.scratch / "last-answer") as base_url:
            shutil.rmtree(self.folder, ignore_errors=True)
            realistic.prepare(self.folder, self.count, "default", base_url, self.kind)
            yield base_url

    def run_promptci(self, *, check: bool = False) -> MeasuredRun:
        """Run `promptci run`, or `promptci check`, which asks both versions."""
        out = self.scratch / "out"
        shutil.rmtree(out, ignore_errors=True)
        totals: dict[str, float] = {}
        with self.serving(totals):
            command = (realistic.check_command if check else realistic.run_command)(self.folder, out)
            cost = measure(command, self.folder, environ(BENCH_API_KEY="none"), exit_codes=(0, 1))
        last_answer = float((self.scratch / "last-answer").read_text())
        return MeasuredRun(
            cost=cost,
            calls=int(totals["calls"]),
            after_last_answer_s=cost.ended_at - last_answer,
            file_bytes=realistic.file_bytes(out),
        )

    def run_floor(self, times: int = 1) -> Cost:
        """Run the plain script."""
        with self.serving() as base_url:
            command = realistic.floor_command(self.folder, AT_ONCE, base_url, times)
            return measure(command, self.folder, environ())

    def run_rival(self, name: str) -> Cost:
        """Run another tool."""
        out = self.scratch / "rival"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        with self.serving() as base_url:
            command = rivals.build_command(name, self.folder, out, base_url, AT_ONCE)
            return measure(command, self.folder, rivals.environ(base_url))


@contextmanager
def open_bench(count: int, kind: str) -> Iterator[Bench]:
    """Make room for one repository."""
    with tempfile.TemporaryDirectory(prefix="promptci-bench-") as scratch:
        yield Bench(count=count, kind=kind, scratch=Path(scratch))


def measure_equals(count: int, rounds: int, rival_names: tuple[str, ...]) -> list[Row]:
    """Measure `run` and `check` of cases that are compared with a text."""
    with open_bench(count, "equals") as bench:
        floors, runs, double_floors, checks = [], [], [], []
        for _ in range(rounds):
            floors.append(bench.run_floor())
            runs.append(bench.run_promptci())
            double_floors.append(bench.run_floor(times=2))
            checks.append(bench.run_promptci(check=True))
        run_s, floor_s = median_wall([run.cost for run in runs]), median_wall(floors)
        ratio = run_s / floor_s
        # A check of few cases asks more than once where the verdict is open (`run.repeats: auto`).
        calls_ratio = statistics.median(check.calls for check in checks) / (2 * count)
        check_ratio = median_wall([check.cost for check in checks]) / median_wall(double_floors) / calls_ratio
        name = f"{count:,} cases"
        rows = [
            _row(f"{name}: `run`, {OF_FLOOR}", ratio, 1.5, note=f"{run_s:.2f} s of {floor_s:.2f} s"),
            _row(f"{name}: `check`, {OF_FLOOR} with as many calls", check_ratio, 1.5),
            *_rival_rows(bench, name, rival_names, run_s),
        ]
        after = statistics.median(run.after_last_answer_s / run.cost.wall_s for run in runs)
        written = max(run.file_bytes for run in runs) / realistic.answer_bytes(count)
        is_large = count >= 10_000
        rows += [
            _row(f"{name}: from the last answer to the end, of `run`", 100 * after, 15 if is_large else None, "%"),
            _row(f"{name}: files of `run`, of the size of the answers", written, 2.0 if is_large else None),
            _row(f"{name}: memory of `run`", max(run.cost.peak_mb for run in runs), None, "MB"),
            _row(f"{name}: processor time of a call", 1000 * _cpu_per_call(runs, count), None, "ms"),
        ]
    return rows


def _cpu_per_call(runs: list[MeasuredRun], count: int) -> float:
    return statistics.median(run.cost.cpu_s for run in runs) / count


def _rival_rows(bench: Bench, name: str, rival_names: tuple[str, ...], run_s: float) -> list[Row]:
    """Return a row for each other tool, measured or not."""
    targets = {"promptfoo": {1_000: 0.35}, "AsyncOpenAI script": {10_000: 0.6}}
    rows = []
    for rival in rival_names:
        target = targets.get(rival, {}).get(bench.count)
        what = f"{name}: `run`, of {rival}"
        try:
            rival_s = bench.run_rival(rival).wall_s
        except (OSError, RuntimeError) as error:
            rows.append(_row(what, None, target, note=" ".join(str(error).split())[-200:]))
        else:
            rows.append(_row(what, run_s / rival_s, target, note=f"{rival} takes {rival_s:.1f} s"))
    return rows


def measure_json_schema(count: int, rounds: int) -> list[Row]:
    """Measure what checking answers by a JSON Schema adds to comparing them with a text."""
    with open_bench(count, "json-schema") as schema, open_bench(count, "equals") as equals:
        pairs = [(schema.run_promptci().cost, equals.run_promptci().cost) for _ in range(rounds)]
    ratio = median_wall([a for a, _ in pairs]) / median_wall([b for _, b in pairs])
    return [_row(f"{count:,} cases with a JSON Schema: `run`, of that with `equals`", ratio, 1.2)]


def measure_judged(count: int, rounds: int) -> list[Row]:
    """Measure a run whose answers a model grades, beside one with as many calls and no judge."""
    with open_bench(count, "judged") as judged, open_bench(2 * count, "equals") as equals:
        pairs = [(judged.run_promptci().cost, equals.run_promptci().cost) for _ in range(rounds)]
    ratio = median_wall([a for a, _ in pairs]) / median_wall([b for _, b in pairs])
    return [_row(f"{count:,} cases with a judge: `run`, of that with as many calls", ratio, 1.3)]


def _row(what: str, measured: float | None, target: float | None, unit: str = "×", note: str = "") -> Row:
    return Row(part=PART, what=what, measured=measured, target=target, unit=unit, note=note, command=COMMAND)


def measure_throughput(options: PartOptions) -> list[Row]:
    """Measure everything, each figure apart: what fails becomes a row that says so."""
    rivals.install()
    all_rivals = tuple(rivals.NAMES)
    if options.quick:
        steps: list[tuple[str, Callable[[], list[Row]]]] = [
            ("equals", lambda: measure_equals(100, 1, all_rivals)),
            ("JSON Schema", lambda: measure_json_schema(100, 1)),
            ("judge", lambda: measure_judged(100, 1)),
        ]
    else:
        steps = [
            ("1,000 cases", lambda: measure_equals(1_000, 3, all_rivals)),
            ("JSON Schema", lambda: measure_json_schema(1_000, 3)),
            ("judge", lambda: measure_judged(1_000, 3)),
            # promptfoo and inspect_ai would take many minutes more; their figures at 1,000 cases say enough.
            ("10,000 cases", lambda: measure_equals(10_000, 1, ("AsyncOpenAI script",))),
        ]
    rows = []
    for name, step in steps:
        try:
            rows += step()
        except (OSError, RuntimeError, ValueError) as error:
            rows.append(_row(name, None, 0.0, note=" ".join(str(error).split())[-300:]))
    return rows


if __name__ == "__main__":
    run_part(measure_throughput, __doc__)
