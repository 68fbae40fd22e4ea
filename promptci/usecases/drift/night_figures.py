"""Draw the nights that the history branch has of each prompt."""

from collections.abc import Sequence
from pathlib import Path

from promptci.evaluation.nights.night_records import load_nights
from promptci.git.data_branch import find_branch
from promptci.report.figures import drift_figure


def write_figures(root: Path, remote: str, folder: Path, formats: Sequence[str]) -> list[Path]:
    """Write a figure for each prompt with nights, from the branch as this clone has it; return the paths.

    Raises
    ------
    UsageError
        If matplotlib is not installed.
    """
    if not formats:
        return []
    nights = load_nights(find_branch(root.resolve(), remote).files())
    return drift_figure.write_figures([line for each in nights.values() for line in each.lines], folder, formats)
