"""`equals`: the answer is exactly this text. Outer blanks do not count unless `trim: false`.

A map or a list has no exact text; it is compared with the answer as JSON.
"""

from promptci.files import canonical, lines
from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import CheckOutcome, Subject

OPTIONS = frozenset({"trim"})


def validate(assertion: Assertion, case: Case) -> str | None:
    """Need a value; `trim` is true (both sides), false, or `response` (the answer alone, as GitHub does)."""
    if base.resolve_operand(assertion, case) is None:
        return "there is no `value`, and the case has no `expected`"
    trim = assertion.options.get("trim", True)
    return None if isinstance(trim, bool) or trim == "response" else "`trim` must be true, false or `response`"


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Compare the texts."""
    wanted, got = sides(assertion, subject)
    passed = wanted == got or _same_json(base.resolve_operand(assertion, subject.case), got)
    return base.text_outcome(passed=passed, wanted=f"should be {base.quote(wanted)}", subject=subject)


def sides(assertion: Assertion, subject: Subject) -> tuple[str, str]:
    """Give the text wanted and the answer, trimmed as asked."""
    trim = assertion.options.get("trim", True)
    wanted = base.to_text(base.resolve_operand(assertion, subject.case))
    return (wanted.strip() if trim is True else wanted), (subject.text.strip() if trim else subject.text)


def _same_json(wanted: object, got: str) -> bool:
    if not isinstance(wanted, dict | list):
        return False
    try:
        return canonical.digest(lines.parse_json(got)) == canonical.digest(wanted)
    except lines.JsonError:
        return False
