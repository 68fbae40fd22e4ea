"""`number`: the answer gives this number, within a tolerance.

Read are digits with an optional sign and exponent. `1,234.5` and `1.234,5` are both understood when both signs
stand in it; a single comma followed by exactly three digits parts thousands, any other single comma is a decimal one.
"""

import math
import re

from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import Outcome, Subject

OPTIONS = frozenset({"tolerance", "relative_tolerance", "pick"})
PICKS = ("only", "first", "last")
NUMBER = re.compile(r"(?<![\w.,])(?<!\w[-+−])[+\-−]?(?:\d[\d.,]*\d|\d)(?:[eE][+-]?\d{1,3})?(?!\w)")
LONGEST = 10_000
"""Characters of an answer searched for numbers."""


def validate(assertion: Assertion, case: Case) -> str | None:
    """Need a number; tolerances are not negative."""
    wanted = base.operand(assertion, case)
    if _wanted(wanted) is None:
        return "`value` (or `expected`) must be a finite number"
    if assertion.options.get("pick", "only") not in PICKS:
        return f"`pick` must be one of {', '.join(PICKS)}"
    return base.limit_problem(assertion.options, "tolerance", "relative_tolerance")


def mark(assertion: Assertion, subject: Subject) -> Outcome:
    """Find the number and measure the distance."""
    wanted = _wanted(base.operand(assertion, subject.case))
    if wanted is None:
        raise ValueError("validate() lets no other value through")
    found = numbers(subject.text)
    pick = assertion.options.get("pick", "only")
    if not found:
        return base.verdict(passed=False, wanted=f"should give the number {wanted:g}", subject=subject)
    if pick == "only" and len(set(found)) > 1:
        said = f"should give the number {wanted:g} and no other (or set `pick` to first or last)"
        return base.verdict(passed=False, wanted=said, subject=subject)
    given = found[-1] if pick == "last" else found[0]
    allowed = max(
        float(assertion.options.get("tolerance", 0)),
        abs(wanted) * float(assertion.options.get("relative_tolerance", 0)),
    )
    # The last term forgives what binary fractions do to 0.1 + 0.2.
    passed = abs(given - wanted) <= allowed + 1e-12 * max(abs(wanted), abs(given))
    within = f" within {allowed:g}" if allowed else ""
    return base.verdict(passed=passed, wanted=f"should be {wanted:g}{within}", subject=subject)


def numbers(text: str) -> list[float]:
    """Give every number written in a text, in order."""
    return [value for match in NUMBER.findall(text[:LONGEST]) if (value := _read(match)) is not None]


def _wanted(value: object) -> float | None:
    if isinstance(value, str):
        found = numbers(value)
        return found[0] if len(found) == 1 and not re.search(r"[^\W\d]", value.lower().replace("e", "")) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _read(written: str) -> float | None:
    text = written.replace("−", "-")
    if "," in text and "." in text:
        thousands, point = (",", ".") if text.rfind(".") > text.rfind(",") else (".", ",")
        text = text.replace(thousands, "").replace(point, ".")
    elif text.count(",") > 1 or re.fullmatch(r"[+-]?\d{1,3},\d{3}", text):
        text = text.replace(",", "")
    else:
        text = text.replace(",", ".")
    if text.count(".") > 1:
        text = text.replace(".", "")
    value = float(text)
    return value if math.isfinite(value) else None
