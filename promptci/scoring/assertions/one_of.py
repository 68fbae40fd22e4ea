"""`one-of`: the answer is one label out of a list, and the right one. Feeds the confusion matrix.

The labels stand in `value`, and the right one is the case's `expected`; or they stand in the option `labels`, and the
right one in `value`. The answer's label is the one that the answer is, apart from case, blanks and punctuation around
it; else the only one that stands in it as a whole word. `late` does not stand in `late parcel` where that is a label
too, nor `spam` in `non-spam`.
"""

import functools
import re
from typing import Any

from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import CheckOutcome, Subject

OPTIONS = frozenset({"labels"})
NONE, SEVERAL = "(none)", "(several)"


def validate(assertion: Assertion, case: Case) -> str | None:
    """Require at least two labels, and the right one among them."""
    labels, expected = _labels_and_expected(assertion, case)
    where = "`labels`" if "labels" in assertion.options else "`value`"
    if not isinstance(labels, list) or len(labels) < 2 or not all(isinstance(label, str) and label for label in labels):
        return f"{where} must be the list of allowed labels, at least two, each a text"
    if len({_plain(label) for label in labels}) < len(labels):
        return "two of the labels are the same but for case or punctuation"
    if expected not in labels:
        right = "`value` (or `expected`)" if "labels" in assertion.options else "the case's `expected`"
        return f"{right} must be one of the labels. {base.suggest_name(str(expected), labels)}"
    return None


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Find the answer's label and compare it."""
    labels, expected = _labels_and_expected(assertion, subject.case)
    actual = label_of(subject.text, labels)
    requirement = f"should be the label {base.quote(expected)}, was {base.quote(actual)}"
    outcome = base.text_outcome(passed=actual == expected, requirement=requirement, subject=subject)
    return CheckOutcome(passed=outcome.passed, reason=outcome.reason, label=(expected, actual))


def label_of(text: str, labels: list[str]) -> str:
    """Return the label that an answer means, `(none)` or `(several)`."""
    whole, by_plain = _plain(text), {_plain(label): label for label in labels}
    if whole in by_plain:
        return by_plain[whole]
    by_fold = {label.casefold(): label for label in labels}
    matches = set(_compile_labels(tuple(by_fold)).findall(text.casefold()))
    if len(matches) == 1:
        return by_fold[matches.pop()]
    return SEVERAL if matches else NONE


def _labels_and_expected(assertion: Assertion, case: Case) -> tuple[Any, Any]:
    if "labels" in assertion.options:
        return assertion.options["labels"], base.resolve_operand(assertion, case)
    return assertion.value, case.expected


@functools.lru_cache(maxsize=256)
def _compile_labels(labels: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(labels, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?<!\w-)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)(?!-\w)")


def _plain(text: str) -> str:
    return text.strip().strip(".,;:!?\"'`*()[]").strip().casefold()
