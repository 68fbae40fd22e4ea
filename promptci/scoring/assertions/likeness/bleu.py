"""`bleu`: the answer has at least this BLEU score against a reference text: precision of 1 to 4 words in sequence."""

import math

from promptci.goldens.model import Assertion
from promptci.scoring.assertions.base import CheckOutcome, Subject
from promptci.scoring.assertions.likeness import ngrams

OPTIONS = ngrams.OPTIONS
DEFAULT_AT_LEAST = 0.5
SMOOTHED_ZERO = 1e-7
"""Precision that counts for none, as promptfoo has it."""
MAX_SIZE = 4
validate = ngrams.validate_score


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Compute and compare."""
    return ngrams.check_score(assertion, subject, default=DEFAULT_AT_LEAST, score=compute_bleu)


def compute_bleu(text: str, references: list[str]) -> float:
    """Return the BLEU score of a text, with the brevity penalty of the reference that is nearest in length."""
    words = text.lower().split()
    referenced = [reference.lower().split() for reference in references]
    logarithms = 0.0
    for size in range(1, MAX_SIZE + 1):
        grams = ngrams.count_ngrams(words, size)
        shared = max(ngrams.count_shared(grams, ngrams.count_ngrams(other, size)) for other in referenced)
        precision = shared / grams.total() if grams else 0.0
        logarithms += math.log(precision or SMOOTHED_ZERO) / MAX_SIZE
    nearest = min((len(other) for other in referenced), key=lambda length: abs(length - len(words)))
    penalty = 1.0 if len(words) > nearest else math.exp(1 - nearest / len(words))
    return penalty * math.exp(logarithms)
