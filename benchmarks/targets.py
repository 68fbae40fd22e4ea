"""What promptci is to reach, and whether it did."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

TIMES = {
    1000: {"floor": 2.0, "promptfoo": 0.35},
    10_000: {"floor": 2.0, "plain": 0.6, "promptfoo": 0.25},
}
"""By number of cases: how long it may take, as a multiple of what another takes."""
MEMORY_MB = {10_000: 200.0, 100_000: 300.0}
HELP, UNCHANGED, REDRAWN = "`promptci --help`", "`promptci check`, nothing changed", "reports of 10,000 cases again"
SECONDS = {HELP: 0.25, UNCHANGED: 1.0, REDRAWN: 5.0}


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One target and what was measured."""

    what: str
    target: float
    measured: float
    unit: str

    def __str__(self) -> str:
        """Give the row of a Markdown table."""
        held = "held" if self.measured < self.target else "**missed**"
        digits = 0 if self.unit == "MB" else 2
        return f"| {self.what} | < {self.target:g} {self.unit} | {self.measured:.{digits}f} {self.unit} | {held} |"


def rows(
    walls: Mapping[int, Mapping[str, float]],
    peaks_mb: Mapping[int, float],
    seconds: Mapping[str, float],
    names: Mapping[str, str],
) -> Iterator[Row]:
    """Give the targets of which something was measured.

    Parameters
    ----------
    walls
        Seconds, by number of cases and by name.
    peaks_mb
        promptci's largest resident size, by number of cases.
    seconds
        What takes no call.
    names
        How each is called.
    """
    for count, found in walls.items():
        for other, target in TIMES.get(count, {}).items():
            if other in found and "promptci" in found:
                what = f"{count:,} cases, beside {names[other]}"
                yield Row(what=what, target=target, measured=found["promptci"] / found[other], unit="×")
        if count in MEMORY_MB and count in peaks_mb:
            yield Row(what=f"{count:,} cases, memory", target=MEMORY_MB[count], measured=peaks_mb[count], unit="MB")
    measured = {REDRAWN: walls.get(10_000, {}).get("redraw"), **seconds}
    for what, target in SECONDS.items():
        if (took_s := measured.get(what)) is not None:
            yield Row(what=what, target=target, measured=took_s, unit="s")
