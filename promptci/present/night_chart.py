"""The last nights of a prompt as a chart of characters, for places that show no picture, such as an issue."""

from collections.abc import Sequence

from promptci.drift.night import NightLine
from promptci.present.formatting import percent

MAX_NIGHTS = 20
WIDTH = 25
"""Characters of a bar of 100 %."""
EIGHTHS = " ▏▎▍▌▋▊▉"


def draw_nights(lines: Sequence[NightLine]) -> str:
    """Return one line a night, the newest last: day, quality as a bar and a number, sum of drops, verdict."""
    rows = [_row(line) for line in lines[-MAX_NIGHTS:]]
    title = f"{'night':<10}  {'quality':<{WIDTH + 9}}{'sum of drops / limit':>20}  verdict"
    return "\n".join([title, *rows])


def _row(line: NightLine) -> str:
    limit = "" if line.h is None else f" / {line.h:.3f}"
    total = f"{line.cusum:.3f}{limit}"
    return f"{line.day}  {_bar(line.quality)} {percent(line.quality):>7} {total:>20}  {line.verdict}"


def _bar(quality: float | None) -> str:
    eighths = 0 if quality is None else round(min(max(quality, 0.0), 1.0) * WIDTH * len(EIGHTHS))
    whole, rest = divmod(eighths, len(EIGHTHS))
    return f"{'█' * whole}{EIGHTHS[rest].strip()}".ljust(WIDTH)
