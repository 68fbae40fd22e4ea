"""The five verdicts, their one order, and the exit code of each."""

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """What a run concluded, from harmless to alarming."""

    NO_CHANGE = "no-change"
    PASS = "pass"  # noqa: S105 - a verdict, not a password
    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"
    ERROR = "error"


ORDER = tuple(Verdict)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the most alarming verdict; of none at all, `no-change`."""
    return max(verdicts, key=ORDER.index, default=Verdict.NO_CHANGE)


def exit_code(verdict: Verdict, *, advise: bool = False, inconclusive_blocks: bool = False) -> int:
    """Return the process's exit code: 0 lets the merge through, anything else blocks it.

    `advise` turns a `fail` (or a blocking `inconclusive`) into 0; an `error` is never green.
    """
    if verdict is Verdict.ERROR:
        return 4
    if advise:
        return 0
    if verdict is Verdict.FAIL:
        return 1
    return 3 if verdict is Verdict.INCONCLUSIVE and inconclusive_blocks else 0
