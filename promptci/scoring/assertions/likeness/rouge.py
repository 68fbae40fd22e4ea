"""`rouge-n`: the answer has at least this ROUGE-1 score (F-measure of the shared words) against a reference text."""

import re
from collections import Counter

from promptci.goldens.model import Assertion
from promptci.scoring.assertions.base import CheckOutcome, Subject
from promptci.scoring.assertions.likeness import ngrams

OPTIONS = ngrams.OPTIONS
DEFAULT_AT_LEAST = 0.75
validate = ngrams.validate_score
_SENTENCE_END = re.compile(
    r"(?<=[.!?])(?<!\b[A-Z]\.)(?<!\bMr\.)(?<!\bMs\.)(?<!\bDr\.)(?<!\bSt\.)(?<!\bMrs\.)(?<!\bProf\.)\s+(?=[A-Z])"
)
_SEPARATIONS = (
    (r'^"', " `` "),
    (r'([ (\[{<])"', r"\1 `` "),
    (r"\.\.\.*", " ... "),
    (r"[;@#$%&]", r" \g<0> "),
    (r"([^.])(\.)([\])}>\"']*)\s*\Z", r"\1 \2\3 "),
    (r"[,?!]", r" \g<0> "),
    (r"[\][(){}<>]", r" \g<0> "),
    (r"---*", " -- "),
    (r"\A|\Z", " "),
    (r'"', " '' "),
    (r"([^'])' ", r"\1 ' "),
    (r"'([sSmMdD]) ", r" '\1 "),
    (r"('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ", r" \1 "),
)
"""How the Penn Treebank tells words apart: patterns with what takes their place, in order."""


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Compute and compare."""
    return ngrams.check_score(assertion, subject, default=DEFAULT_AT_LEAST, score=compute_rouge)


def compute_rouge(text: str, references: list[str]) -> float:
    """Return the highest ROUGE-1 score of a text against one of the references."""
    words = ngrams.count_ngrams(split_words(text), 1)
    return max(_compare(words.total(), reference, words) for reference in references)


def _compare(total: int, reference: str, words: Counter[tuple[str, ...]]) -> float:
    referenced = ngrams.count_ngrams(split_words(reference), 1)
    shared = ngrams.count_shared(words, referenced)
    return 2 * shared / (total + referenced.total()) if shared else 0.0


def split_words(text: str) -> list[str]:
    """Return the words and punctuation marks of a text, sentence by sentence."""
    return [word for sentence in _SENTENCE_END.split(text) for word in _split_sentence(sentence)]


def _split_sentence(text: str) -> list[str]:
    for pattern, replacement in _SEPARATIONS:
        text = re.sub(pattern, replacement, text)
    return re.sub(r"^ | $", "", re.sub(r" {2,}", " ", text)).split(" ")
