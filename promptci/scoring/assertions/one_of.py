"""`one-of`: the answer is one label out of a list, and the expected one. Feeds the confusion matrix.

The answer's label is the one that the answer is, apart from case, blanks and punctuation around it; else the only
one that stands in it as a whole word.
"""

import re

from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import Outcome, Subject

OPTIONS: frozenset[str] = frozenset()
NONE, SEVERAL = "(none)", "(several)"


def validate(assertion: Assertion, case: Case) -> str | None:
    """Need at least two labels in `value`, and the right one in the case's `expected`."""
    labels = assertion.value
    if not isinstance(labels, list) or len(labels) < 2 or not all(isinstance(one, str) and one for one in labels):
        return "`value` must be the list of allowed labels, at least two"
    if len({_plain(label) for label in labels}) < len(labels):
        return "two of the labels are the same but for case or punctuation"
    if case.expected not in labels:
        return f"the case's `expected` must be one of the labels. {base.nearest(str(case.expected), labels)}"
    return None


def mark(assertion: Assertion, subject: Subject) -> Outcome:
    """Find the label given and compare it."""
    given, expected = label_of(subject.text, assertion.value), str(subject.case.expected)
    outcome = base.verdict(
        passed=given == expected, wanted=f"should be the label {base.quoted(expected)}", subject=subject
    )
    return Outcome(passed=outcome.passed, reason=outcome.reason, label=(expected, given))


def label_of(text: str, labels: list[str]) -> str:
    """Give the label that an answer means, `(none)` or `(several)`."""
    whole = _plain(text)
    for label in labels:
        if _plain(label) == whole:
            return label
    found = [one for one in labels if re.search(rf"(?<!\w){re.escape(one.casefold())}(?!\w)", text.casefold())]
    if len(found) == 1:
        return found[0]
    return SEVERAL if found else NONE


def _plain(text: str) -> str:
    return text.strip().strip(".,;:!?\"'`*()[]").strip().casefold()
