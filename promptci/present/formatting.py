"""Format numbers for people; unknown values are named, never shown as 0."""

import math

from promptci.wording import count, short_digest, short_sha

__all__ = ["count", "short_digest", "short_sha"]
"""Re-exported: with these, every figure and name of a report is formatted from one module."""

UNKNOWN = "unknown"
MINUS = "−"


def percent(share: float | None) -> str:
    """Return a share as a percentage with at most one decimal; 100% and 0% only where it is exactly that."""
    if share is None:
        return UNKNOWN
    value = round(100 * share, 1)
    if 0 < share < 1:
        value = min(max(value, 0.1), 99.9)
    return f"{_trimmed(value)}%"


def change(ratio: float | None) -> str:
    """Return a relative change as a signed percentage: `+58%`."""
    if ratio is None:
        return UNKNOWN
    size = abs(100 * ratio)
    # A tenth at least: beside a sum that is saved, a change of 0% would be wrong.
    return _signed(f"{size:,.0f}" if size >= 0.95 or size < 0.05 else f"{size:.1f}", ratio) + "%"


def points(share: float | None) -> str:
    """Return the size of a difference of shares in points, without its sign: `4.5 points`."""
    if share is None:
        return UNKNOWN
    number = number_of_points(share)
    return f"{number} point" if number == "1" else f"{number} points"


def number_of_points(share: float) -> str:
    """Return the size of a difference of shares in points, the bare number."""
    return _trimmed(round(abs(100 * share), 1))


def signed_points(share: float | None) -> str:
    """Return a difference of shares in points with its sign: `−45 points`."""
    return UNKNOWN if share is None else _signed(points(share), share)


def bare_points(share: float) -> str:
    """Return a difference of shares in points with its sign and without the word: `−45`."""
    return _signed(number_of_points(share), share)


def money(usd: float | None) -> str:
    """Return US dollars: cents from one dollar on, three significant digits below it (`$0.000123`)."""
    if usd is None:
        return UNKNOWN
    size = abs(usd)
    sign = MINUS if usd < 0 else ""
    if size == 0:
        return "$0"
    if size >= 0.995:
        return f"{sign}${size:,.2f}"
    decimals = 2 - math.floor(math.log10(size))
    return f"{sign}${size:.{min(decimals, 12)}f}"


def signed_money(usd: float | None) -> str:
    """Return a difference in US dollars with its sign."""
    return UNKNOWN if usd is None else _signed(money(abs(usd)), usd)


def duration(milliseconds: float | None) -> str:
    """Return a latency as `812 ms`, `1.24 s` or `2 min 5 s`."""
    if milliseconds is None:
        return UNKNOWN
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 59.95:
        # Two latencies side by side have as many decimals, `1.10 s → 1.11 s`; only whole seconds have none.
        text = f"{seconds:.2f}" if seconds < 9.995 else f"{seconds:.1f}"
        return f"{text.removesuffix('.00').removesuffix('.0')} s"
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60} s"


def p_value(p: float | None, smallest: float = 0.001) -> str:
    """Return a p-value: `p = 0.031`, `p < 0.001`; with a smaller `smallest`, also `p = 0.0002`."""
    if p is None:
        return "p unknown"
    if p < smallest:
        return f"p < {_decimal(smallest)}"
    if p < 0.001:
        return f"p = {_decimal(p)}"
    # A p of 0.3125 is a sum of rounded terms, and may come out a hair below: half is rounded up all the same.
    return f"p = {p + 1e-9:.3f}"


def number(value: float | None) -> str:
    """Return a number with separators between thousands, without needless decimals."""
    return UNKNOWN if value is None else _trimmed(value)


def tokens(value: float | None) -> str:
    """Return a number of tokens: `152`, `12.4k`, `233M`, `1.2B`; a mean is rounded."""
    if value is None:
        return UNKNOWN
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e4, "k")):
        if value >= size:
            shown = value / (1e3 if letter == "k" else size)
            return f"{shown:,.0f}{letter}" if shown >= 99.95 else f"{shown:.1f}{letter}"
    return f"{value:,.0f}" if value >= 99.5 else _trimmed(round(value, 1))


def _decimal(value: float) -> str:
    """Return one significant digit without an exponent."""
    return f"{float(f'{value:.1g}'):.12f}".rstrip("0")


def _signed(text: str, value: float) -> str:
    if not any(digit in "123456789" for digit in text):  # rounds to nothing
        return text
    return ("+" if value > 0 else MINUS) + text


def _trimmed(value: float) -> str:
    text = f"{value:,.2f}"
    return text.rstrip("0").rstrip(".")
