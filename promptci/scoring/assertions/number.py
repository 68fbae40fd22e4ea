"""`number`: the answer gives this number, within a tolerance.

Read are digits with an optional sign and exponent. `1,234,567.5` and `1.234.567,5` part thousands; a single comma
followed by exactly three digits does so too (`1,234`), any other single comma is a decimal one (`1,23`); a single point
is always a decimal one. Digits parted otherwise (dates, versions, `1,2,3`) and digits within words (`v2`, `5kg`) are
no numbers; NaN and infinity are none either.
"""

import re
from collections.abc import Iterator

from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import CheckOutcome, Subject

OPTIONS = frozenset({"tolerance", "relative_tolerance", "pick"})
PICKS = ("only", "first", "last")
NUMBER = re.compile(r"(?<![\w.,])(?<!\w[-+−])[+\-−]?(?:\d[\d.,]*\d|\d|\.\d+)(?:[eE][+-]?\d{1,3})?(?!\w)")
MAX_NUMBER_CHARS = 100
"""Most characters of a number; a longer one is not meant as a number."""
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_GROUPED_BY_POINTS = re.compile(r"\d{1,3}(?:(?:\.\d{3})+,\d+|(?:\.\d{3}){2,})")
_PLAIN = re.compile(r"\d*[.,]?\d+")


def validate(assertion: Assertion, case: Case) -> str | None:
    """Require a number; tolerances are not negative."""
    if _parse_expected(base.resolve_operand(assertion, case)) is None:
        return "`value` (or `expected`) must be a finite number"
    if assertion.options.get("pick", "only") not in PICKS:
        return f"`pick` must be one of {', '.join(PICKS)}"
    return base.limit_error(assertion.options, "tolerance", "relative_tolerance")


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Find the number and measure the distance."""
    expected = _parse_expected(base.resolve_operand(assertion, subject.case))
    if expected is None:
        raise ValueError("validate() lets no other value through")
    pick = assertion.options.get("pick", "only")
    candidates = _pick_numbers(subject.text, pick)
    if not candidates:
        return base.text_outcome(passed=False, requirement=f"should give the number {expected:.15g}", subject=subject)
    if len(candidates) > 1:
        requirement = f"should give the number {expected:.15g} and no other (or set `pick` to first or last)"
        return base.text_outcome(passed=False, requirement=requirement, subject=subject)
    actual = candidates.pop()
    allowed = max(
        float(assertion.options.get("tolerance") or 0),
        abs(expected) * float(assertion.options.get("relative_tolerance") or 0),
    )
    # The last term forgives what binary fractions do to 0.1 + 0.2.
    passed = abs(actual - expected) <= allowed + 1e-12 * max(abs(expected), abs(actual))
    within = f" within {allowed:.15g}" if allowed else ""
    return base.text_outcome(passed=passed, requirement=f"should be {expected:.15g}{within}", subject=subject)


def numbers(text: str) -> Iterator[float]:
    """Return every number written in a text, in order."""
    return _parse_numbers(match.group() for match in NUMBER.finditer(text))


def _pick_numbers(text: str, pick: str) -> set[float]:
    """Return the number that counts; two where only one is allowed, none where there is none."""
    candidates = _parse_numbers(reversed(NUMBER.findall(text))) if pick == "last" else numbers(text)
    values: set[float] = set()
    for value in candidates:
        values.add(value)
        if pick != "only" or len(values) > 1:
            break
    return values


def _parse_numbers(written: Iterator[str]) -> Iterator[float]:
    return (value for literal in written if (value := _parse_number(literal)) is not None)


def _parse_expected(value: object) -> float | None:
    if isinstance(value, str):
        parsed = list(numbers(value))
        return parsed[0] if len(parsed) == 1 and not re.search(r"[^\W\d]", value.lower().replace("e", "")) else None
    return base.to_finite_float(value)


def _parse_number(written: str) -> float | None:
    """Return the number of one spelling, or None where its points and commas are not those of a number."""
    text = written.replace("−", "-").lower()
    digits, _, exponent = text.lstrip("+-").partition("e")
    if len(text) > MAX_NUMBER_CHARS:
        return None
    if _GROUPED.fullmatch(digits):
        digits = digits.replace(",", "")
    elif _GROUPED_BY_POINTS.fullmatch(digits):
        digits = digits.replace(".", "").replace(",", ".")
    elif _PLAIN.fullmatch(digits):
        digits = digits.replace(",", ".")
    else:
        return None
    value = float(f"{digits}e{exponent or 0}")
    return base.to_finite_float(-value if text.startswith("-") else value)
