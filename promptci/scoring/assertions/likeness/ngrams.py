"""Words and sequences of words, and the assertion that a score of them is high enough."""

from collections import Counter
from collections.abc import Callable, Sequence

from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import CheckOutcome, Subject

OPTIONS = frozenset({"at_least"})
MAX_WORDS = 20_000
"""Words of an answer that are compared; a longer one is unscored."""

Words = Sequence[str]


def validate_score(assertion: Assertion, case: Case) -> str | None:
    """Require a reference text, or a list of them, and a limit from 0 to 1."""
    limit = assertion.options.get("at_least")
    if limit is not None and not 0 <= (base.to_finite_float(limit) or -1) <= 1 and limit != 0:
        return "`at_least` must be a number from 0 to 1"
    if isinstance(base.resolve_operand(assertion, case), list):
        return base.list_operand_error(assertion, case)
    return base.text_operand_error(assertion, case)


def check_score(
    assertion: Assertion, subject: Subject, *, default: float, score: Callable[[str, list[str]], float]
) -> CheckOutcome:
    """Compare the score of the answer with the least one; `score` takes the answer and the references."""
    operand = base.resolve_operand(assertion, subject.case)
    references = [base.to_text(item) for item in (operand if isinstance(operand, list) else [operand])]
    if max(len(text.split()) for text in (subject.text, *references)) > MAX_WORDS:
        return CheckOutcome(passed=None, reason=f"a text has more than {MAX_WORDS:,} words")
    limit = assertion.options.get("at_least")
    least = default if limit is None else float(limit)
    value = score(subject.text, references) if subject.text.strip() else 0.0
    reason = f"has the score {value:.3f}; should have at least {least:g}"
    return CheckOutcome(passed=value >= least, reason=reason, fraction=value)


def count_ngrams(words: Words, size: int) -> Counter[tuple[str, ...]]:
    """Return how often each sequence of `size` words occurs."""
    return Counter(tuple(words[start : start + size]) for start in range(len(words) - size + 1))


def count_shared(first: Counter[tuple[str, ...]], second: Counter[tuple[str, ...]]) -> int:
    """Return how many sequences two texts share, each as often as it is in both."""
    return (first & second).total()
