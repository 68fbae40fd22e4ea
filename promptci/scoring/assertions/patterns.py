"""Regular expressions out of a pull request, bounded in time and memory.

The pattern comes from a pull request and the text from a model, so both may be hostile. Matching stops after a while,
which the `regex` package can do and Python's own cannot. Building a pattern cannot be stopped, so what would be costly
to build is refused: `{1000}` of `{1000}` of `{1000}` is unrolled to gigabytes.
"""

import functools
import re
from typing import TYPE_CHECKING

from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    import regex
else:
    regex = lazy_import("regex")

TIMEOUT_S = 1.0
MAX_PATTERN_CHARS = 1_000
"""Characters of a pattern; tables over longer ones cost seconds that no time limit covers."""
TOO_LONG = f"the pattern is longer than {MAX_PATTERN_CHARS} characters"
MAX_EXPANDED_CHARS = 20_000
"""Single characters that a pattern may stand for once its least repetitions are written out."""
_PARTS = re.compile(
    r"(?P<comment>\(\?#[^)]*\))|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(?P<open>\()|(?P<close>\))"
    r"|\{(?P<least>\d+)(?:,\d*)?\}|.",
    re.DOTALL,
)
_VERBOSE = re.compile(r"\(\?[a-zA-Z01]*x[a-zA-Z01]*(?:-[a-z]+)?[:)]")


class PatternError(ValueError):
    """A pattern that cannot be used, with the reason in words."""


@functools.lru_cache(maxsize=1024)
def compiled(pattern: str, *, ignore_case: bool = False) -> "regex.Pattern[str]":
    """Build a pattern.

    Raises
    ------
    PatternError
        Where it is no pattern, or one that would take too much to build.
    """
    if len(pattern) > MAX_PATTERN_CHARS:
        raise PatternError(TOO_LONG)
    if _VERBOSE.search(pattern):
        raise PatternError("the flag `x` is not supported; write the pattern without blanks and comments")
    if _size(pattern) > MAX_EXPANDED_CHARS:
        raise PatternError("the pattern repeats too much; use smaller numbers in `{}`")
    try:
        return regex.compile(pattern, regex.IGNORECASE if ignore_case else 0)
    except (regex.error, OverflowError, RecursionError, ValueError) as error:
        raise PatternError(f"the pattern cannot be read: {error}") from error


def search(
    pattern: str, text: str, *, ignore_case: bool = False, full: bool = False, timeout_s: float = TIMEOUT_S
) -> bool:
    """Return whether the pattern is found in the text, or with `full` is all of it (PatternError, TimeoutError)."""
    built = compiled(pattern, ignore_case=ignore_case)
    look = built.fullmatch if full else built.search
    return look(text, timeout=timeout_s) is not None


def _size(pattern: str) -> int:
    """Count the characters a pattern stands for when its least repetitions are written out."""
    groups, last = [0], 0
    for part in _PARTS.finditer(pattern):
        if part["comment"]:
            continue
        if part["open"]:
            groups.append(0)
            continue
        if part["close"] and len(groups) > 1:
            last = groups.pop()
            groups[-1] += last
        elif part["least"]:
            # 19 digits are beyond every limit; more would only make Python count them.
            times = max(1, int(part["least"][:19]))
            groups[-1] += last * (times - 1)
            last *= times
        else:
            last = 1
            groups[-1] += 1
    return sum(groups)
