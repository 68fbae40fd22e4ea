"""`equals`: the answer is exactly this text. Surrounding whitespace does not count unless `trim: false`.

Of a list, any one entry will do. A map or a list is also compared with the answer as JSON.
"""

from typing import Any

from promptci.files import canonical, lines
from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base, is_json, lookalikes
from promptci.scoring.assertions.base import CheckOutcome, Subject
from promptci.wording import count_equal_chars

OPTIONS = frozenset({"trim"})
MAX_COMPARED_CHARS = 10_000
"""Characters of texts that are compared for looking alike."""


def validate(assertion: Assertion, case: Case) -> str | None:
    """Require a value; `trim` is true (both sides), false, or `response` (the answer alone, as GitHub does)."""
    if base.resolve_operand(assertion, case) is None:
        return "there is no `value`, and the case has no `expected`"
    trim = assertion.options.get("trim", True)
    return None if isinstance(trim, bool) or trim == "response" else "`trim` must be true, false or `response`"


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Compare the texts, and a map or a list as JSON too."""
    expected, actual = expected_texts(assertion, subject), actual_text(assertion, subject)
    operand = base.resolve_operand(assertion, subject.case)
    passed = actual in expected or (isinstance(operand, dict | list) and _is_same_json(operand, actual))
    return make_outcome(expected, actual, passed=passed, subject=subject)


def make_outcome(expected: list[str], actual: str, *, passed: bool, subject: Subject, suffix: str = "") -> CheckOutcome:
    """Return the outcome; where the texts look alike, the reason names the code point that differs."""
    position = 0 if passed else max(count_equal_chars(text, actual) for text in expected)
    shown = base.quote_from(expected[0], position)
    choices = shown if len(expected) == 1 else f"one of {base.quote_list(expected)}"
    outcome = base.text_outcome(
        passed=passed, requirement=f"should be {choices}{suffix}", subject=subject, position=position
    )
    if passed or len(actual) > MAX_COMPARED_CHARS:
        return outcome
    differences = (lookalikes.explain_difference(text, actual) for text in expected)
    difference = next(filter(None, differences), None)
    return CheckOutcome(passed=passed, reason=f"{outcome.reason}: {difference}") if difference else outcome


def expected_texts(assertion: Assertion, subject: Subject) -> list[str]:
    """Return the texts that are right, trimmed as the assertion says."""
    operand = base.resolve_operand(assertion, subject.case)
    entries = operand if isinstance(operand, list) and operand else [operand]
    texts = [base.to_text(entry) for entry in entries]
    return [text.strip() for text in texts] if assertion.options.get("trim", True) is True else texts


def actual_text(assertion: Assertion, subject: Subject) -> str:
    """Return the answer's text, trimmed as the assertion says."""
    return subject.text.strip() if assertion.options.get("trim", True) else subject.text


def _is_same_json(operand: Any, text: str) -> bool:
    """Compare as JSON, with the whole operand or, of a list, with any entry that is itself a map or a list."""
    try:
        digest = canonical.digest(is_json.parse_text(text, fenced=True))
    except lines.JsonError:
        return False
    entries = [entry for entry in operand if isinstance(entry, dict | list)] if isinstance(operand, list) else []
    return any(digest == canonical.digest(value) for value in (operand, *entries))
