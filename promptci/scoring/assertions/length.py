"""`length`: the answer is neither shorter than `min` nor longer than `max`, in characters or words.

`unit: utf16` counts as JavaScript's `length` does, with whitespace at both ends.
"""

from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import CheckOutcome, Subject

OPTIONS = frozenset({"min", "max", "unit"})
UNITS = ("characters", "words", "utf16")


def validate(assertion: Assertion, case: Case) -> str | None:
    """Require `min` or `max`."""
    least, most = assertion.options.get("min"), assertion.options.get("max")
    if least is None and most is None:
        return "set `min`, `max` or both"
    if assertion.options.get("unit", UNITS[0]) not in UNITS:
        return f"`unit` must be one of {', '.join(UNITS)}"
    if wrong := base.limit_error(assertion.options, "min", "max"):
        return wrong
    return "`min` is greater than `max`" if least is not None and most is not None and least > most else None


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Count and compare."""
    unit = assertion.options.get("unit", UNITS[0])
    count = _count(subject.text, unit)
    least, most = assertion.options.get("min"), assertion.options.get("max")
    passed = (least is None or count >= least) and (most is None or count <= most)
    bounds = " and ".join(
        [*([f"at least {least:g}"] if least is not None else []), *([f"at most {most:g}"] if most is not None else [])]
    )
    return CheckOutcome(
        passed=passed, reason=f"has {count} {unit if unit in UNITS[:2] else UNITS[0]}; should have {bounds}"
    )


def _count(text: str, unit: str) -> int:
    if unit == "words":
        return len(text.split())
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2 if unit == "utf16" else len(text.strip())
