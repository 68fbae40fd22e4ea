"""`regex`: the pattern is found in the answer.

The pattern comes from a pull request and the text from a model, so matching is bounded in time: the `regex` package
stops after a second, where Python's own could take for ever. Its syntax is Python's.
"""

import regex

from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import Outcome, Subject

OPTIONS = frozenset({"ignore_case", "full"})
TIMEOUT_S = 1.0


def validate(assertion: Assertion, case: Case) -> str | None:
    """Need a pattern that compiles."""
    if not isinstance(assertion.value, str) or not assertion.value:
        return "`value` must be a pattern"
    try:
        _compiled(assertion)
    except (regex.error, OverflowError, RecursionError) as error:
        return f"the pattern cannot be read: {error}"
    return base.flag_problem(assertion, "ignore_case", "full")


def mark(assertion: Assertion, subject: Subject) -> Outcome:
    """Search the answer, or match the whole of it with `full: true`. A pattern that takes too long is unscored."""
    pattern = _compiled(assertion)
    look = pattern.fullmatch if assertion.options.get("full", False) else pattern.search
    try:
        found = look(subject.text.strip(), timeout=TIMEOUT_S)
    except TimeoutError:
        return Outcome(passed=None, reason=f"the pattern took longer than {TIMEOUT_S:.0f} s; write it simpler")
    return base.verdict(
        passed=found is not None, wanted=f"should match {base.quoted(assertion.value)}", subject=subject
    )


def _compiled(assertion: Assertion) -> "regex.Pattern[str]":
    return regex.compile(assertion.value, regex.IGNORECASE if assertion.options.get("ignore_case", False) else 0)
