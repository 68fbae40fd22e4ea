"""`gleu`: the answer has at least this GLEU score against a reference text: the lesser of precision and recall."""

from promptci.goldens.model import Assertion
from promptci.scoring.assertions.base import CheckOutcome, Subject
from promptci.scoring.assertions.likeness import ngrams

OPTIONS = ngrams.OPTIONS
DEFAULT_AT_LEAST = 0.5
MAX_SIZE = 4
validate = ngrams.validate_score


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Compute and compare."""
    return ngrams.check_score(assertion, subject, default=DEFAULT_AT_LEAST, score=compute_gleu)


def compute_gleu(text: str, references: list[str]) -> float:
    """Return the highest GLEU score of a text against one of the references."""
    words = _split(text)
    return max(_compare(words, _split(reference)) for reference in references)


def _compare(words: list[str], referenced: list[str]) -> float:
    if words == referenced:
        return 1.0
    shared = total = referenced_total = 0
    for size in range(1, MAX_SIZE + 1):
        first, second = ngrams.count_ngrams(words, size), ngrams.count_ngrams(referenced, size)
        shared += ngrams.count_shared(first, second)
        total += first.total()
        referenced_total += second.total()
    return min(shared / total, shared / referenced_total) if total and referenced_total else 0.0


def _split(text: str) -> list[str]:
    return [word.rstrip(".") for word in text.lower().split()]
