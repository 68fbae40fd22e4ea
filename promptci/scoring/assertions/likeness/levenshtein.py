"""`levenshtein`: at most this many characters must be changed, added or removed to make the answer this text."""

from typing import TYPE_CHECKING

from promptci.goldens.model import Assertion, Case
from promptci.lazy_import import lazy_import
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import CheckOutcome, Subject

if TYPE_CHECKING:
    from rapidfuzz.distance import Levenshtein
else:
    Levenshtein = lazy_import("rapidfuzz.distance.Levenshtein")

OPTIONS = frozenset({"at_most"})
DEFAULT_AT_MOST = 5
MAX_CHARS = 50_000
"""Characters of a text that is compared; an answer that is longer is unscored."""


def validate(assertion: Assertion, case: Case) -> str | None:
    """Require a text, and a limit from 0."""
    return base.text_operand_error(assertion, case) or base.limit_error(assertion.options, "at_most")


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Count the edits."""
    expected = base.to_text(base.resolve_operand(assertion, subject.case))
    if max(len(expected), len(subject.text)) > MAX_CHARS:
        return CheckOutcome(passed=None, reason=f"a text has more than {MAX_CHARS:,} characters")
    limit = assertion.options.get("at_most")
    most = DEFAULT_AT_MOST if limit is None else limit
    distance = Levenshtein.distance(subject.text, expected)
    requirement = f"should be at most {most:g} edits from {base.quote(expected)}, and is {distance}"
    return base.text_outcome(passed=distance <= most, requirement=requirement, subject=subject)
