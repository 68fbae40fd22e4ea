"""Figures for slides, e-mail and binders, by matplotlib: one look for all, the same bytes for the same data.

Pages draw their own charts (charts.py), which follow dark mode; these files stand alone.
"""

import hashlib
import io
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from promptci.errors import UsageError
from promptci.files import write
from promptci.lazy_import import lazy_import
from promptci.wording import install_extra

if TYPE_CHECKING:
    import matplotlib as mpl
    import numpy as np
    from matplotlib import figure as mpl_figure
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
else:
    np = lazy_import("numpy")
    mpl = lazy_import("matplotlib")
    mpl_figure = lazy_import("matplotlib.figure")

FORMATS: Final = ("png", "pdf", "svg")
BEFORE, AFTER, WORSE, BETTER, MUTED = "#6b7280", "#0072b2", "#d55e00", "#009e73", "#9ca3af"
"""Okabe and Ito's colours, which colour-blind readers tell apart."""
_METADATA: dict[str, dict[str, Any]] = {"png": {"Software": None}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}
_STYLE: Any = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "pdf.fonttype": 42,  # letters stay text, which can be searched and copied
    "svg.fonttype": "none",
    "svg.hashsalt": "promptci",
    "text.parse_math": False,  # a `$` in a prompt's name is a dollar sign
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in promptci's style within the block.

    Raises
    ------
    UsageError
        If matplotlib is not installed.
    """
    try:
        context = mpl.rc_context(_STYLE)
    except ModuleNotFoundError as error:
        raise UsageError("Figures need matplotlib, which is not installed", install_extra("figures")) from error
    with context, warnings.catch_warnings():
        # A letter that the font lacks is drawn as a box; the reader sees it, and a warning would not help.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def new_figure(title: str, subtitle: str, source: str, height: float = 4.5) -> "Figure":
    """Return an empty figure with a title, a subtitle and its source; 16:9 at the default height (inches)."""
    figure = mpl_figure.Figure(figsize=(8, height), dpi=150, layout="constrained")
    figure.suptitle(f"{title}\n", x=0.01, ha="left", fontsize=14, fontweight="bold")
    figure.text(0.01, 1 - 0.4 / height, subtitle, ha="left", va="top", fontsize=10, color=BEFORE)
    figure.supxlabel(source, x=0.99, ha="right", fontsize=7, color=MUTED)
    return figure


def plot_days(axes: "Axes", points: Sequence[tuple[date, float | None]], **style: Any) -> None:
    """Plot values over days; a value that is not known is a gap."""
    days = np.array([day for day, _ in points], dtype="datetime64[D]")
    axes.plot(days, np.array([np.nan if value is None else value for _, value in points]), **style)


def file_name(name: str) -> str:
    """Return a prompt's name as a part of a file's name; different names stay different."""
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:60] or "prompt"
    return slug if slug == name else f"{slug}-{hashlib.sha256(name.encode(errors='replace')).hexdigest()[:6]}"


def save_figure(draw: "Callable[[], Figure]", folder: Path, name: str, formats: Sequence[str]) -> list[Path]:
    """Draw a figure and write `name.png`, `name.pdf`, … into a folder; return the paths.

    Raises
    ------
    UsageError
        If matplotlib is not installed.
    """
    paths = []
    with house_style():
        figure = draw()
        for each in formats:
            path = folder / f"{name}.{each}"
            content = io.BytesIO()
            figure.savefig(content, format=each, metadata=_METADATA[each])
            write.write_bytes(path, content.getvalue())
            paths.append(path)
    return paths
