"""`is-refusal`: the answer refuses, as its words say; an empty answer counts as one."""

import re

from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import CheckOutcome, Subject
from promptci.scoring.assertions.markup import refusal_phrases

OPTIONS: frozenset[str] = frozenset()


def validate(assertion: Assertion, case: Case) -> str | None:
    """Refuse a value, which would not be looked at."""
    return None if assertion.value is None else "it takes no `value`"


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Look for the phrases."""
    return base.text_outcome(passed=is_refusal(subject.text), requirement="should be a refusal", subject=subject)


def is_refusal(text: str) -> bool:
    """Return whether a text begins or speaks as a refusal does."""
    lower = re.sub("[′’]", "'", text.strip().lower())
    return (
        not lower
        or lower.startswith(refusal_phrases.PREFIXES)
        or any(phrase in lower for phrase in refusal_phrases.PHRASES)
    )
