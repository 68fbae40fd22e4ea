"""Measure the tables of docs/drift.md: `make promises`. Takes some minutes; the same numbers every time."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests"))

from support.simulated_drift import DriftSetting, simulate_alarms, simulate_delay  # noqa: E402 - the tests run these too

PAGE = ROOT / "docs" / "drift.md"
BEGIN, END = "<!-- measured by tools/measure_drift.py -->", "<!-- end of what was measured -->"
PROMPTS, CASES, DROPS = (1, 5, 20), (50, 100, 200), (0.05, 0.14)
SERIES = 40
YEARS = {50: 200, 100: 30}
"""By cases: with few of them, a reference that is off by chance makes some years very noisy."""
MOST = 80


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|--:" * len(head) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def delays() -> str:
    """Return the mean nights until a drop is found, by number of prompts and cases."""
    rows = []
    for prompts in PROMPTS:
        for cases in CASES:
            setting = DriftSetting(cases=cases, alarms_per_year=1 / prompts)
            cells = [simulate_delay(setting, drop, series=SERIES, seed=cases, most=MOST) for drop in DROPS]
            rows.append([str(prompts), str(cases), *(f"{cell:.1f}" for cell in cells)])
    return _table(["prompts", "cases", *(f"{100 * drop:.0f} points" for drop in DROPS)], rows)


def alarms() -> str:
    """Return the false alarms a year of one prompt that has the whole budget."""
    rows = []
    settings = (DriftSetting(cases=50), DriftSetting(), DriftSetting(profile="rare", discordance=0.04))
    for setting in settings:
        shares = simulate_alarms(setting, series=YEARS[setting.cases], seed=setting.cases)
        what = "some cases are coin tosses" if setting.profile == "flips" else "every case fails now and then"
        flips = f"{100 * setting.discordance:.0f} %, {what}"
        rows.append([str(setting.cases), flips, f"{shares.alarms:.2f} ± {shares.error:.2f}"])
    return _table(["cases", "flip from night to night", "false alarms a year"], rows)


def main() -> None:
    """Write both tables into the page."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{delays()}\n\n{alarms()}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
