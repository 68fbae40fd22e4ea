"""`equals`: the answer is exactly this text. Outer blanks do not count unless `trim: false`."""

from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import Outcome, Subject

OPTIONS = frozenset({"trim"})
TRIMS = (True, False, "response")


def validate(assertion: Assertion, case: Case) -> str | None:
    """Need a value; `trim` is true (both sides), false, or `response` (the answer alone, as GitHub does)."""
    if base.operand(assertion, case) is None:
        return "there is no `value`, and the case has no `expected`"
    return None if assertion.options.get("trim", True) in TRIMS else "`trim` must be true, false or `response`"


def mark(assertion: Assertion, subject: Subject) -> Outcome:
    """Compare the texts."""
    wanted, got = sides(assertion, subject)
    return base.verdict(passed=wanted == got, wanted=f"should be {base.quoted(wanted)}", subject=subject)


def sides(assertion: Assertion, subject: Subject) -> tuple[str, str]:
    """Give the text wanted and the answer, trimmed as asked."""
    trim = assertion.options.get("trim", True)
    wanted = base.as_text(base.operand(assertion, subject.case))
    return (wanted.strip() if trim is True else wanted), (subject.text.strip() if trim else subject.text)
