"""What every assertion module provides, and the helpers that they share."""

import json
import math
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

from promptci.goldens.model import Assertion, Case
from promptci.lazy_dataclass import dataclass
from promptci.prompts.template import render
from promptci.runs.model import Answer
from promptci.scoring.model import AssertionResult
from promptci.wording import join_names, suggest

MAX_QUOTED_CHARS = 120
"""Characters of an answer or expectation quoted in a reason."""
MAX_MESSAGE_CHARS = 300
"""Characters of a problem that another library worded."""
MAX_LISTED_TEXTS = 3
"""Texts of a list that are quoted in a reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """One answer to one case."""

    text: str
    """In Unicode's normal form C: `é` is one character, however the model wrote it."""
    case: Case
    answer: Answer

    def __post_init__(self) -> None:
        """Normalize the text, as operands are normalized."""
        object.__setattr__(self, "text", unicodedata.normalize("NFC", self.text))


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckOutcome:
    """What an assertion found about one answer."""

    passed: bool | None
    """None: unscored."""
    reason: str
    label: tuple[str, str] | None = None
    fraction: float | None = None
    """Score of an assertion that has one between 0 and 1."""

    @property
    def score(self) -> float | None:
        """Where there is no score of its own, 1 or 0; None when unscored."""
        if self.passed is None:
            return None
        if self.fraction is None:
            return 1.0 if self.passed else 0.0  # constants: no number of its own for each of 100,000 answers
        return self.fraction


def make_result(assertion: Assertion, outcome: CheckOutcome, cost_usd: Decimal | None = None) -> AssertionResult:
    """Return the result of an assertion with this outcome; `cost_usd` is what its calls cost."""
    return AssertionResult(
        type=assertion.type,
        name=assertion.name or assertion.type,
        passed=outcome.passed,
        score=outcome.score,
        reason=outcome.reason,
        weight=assertion.weight,
        label=outcome.label,
        cost_usd=cost_usd,
    )


class Validator(Protocol):
    """Checks how an assertion is written."""

    @property
    def OPTIONS(self) -> Collection[str]:  # noqa: N802 - a constant of the module
        """Keys it takes besides type, value, weight and name."""
        ...

    def validate(self, assertion: Assertion, case: Case) -> str | None:
        """Return what is wrong with the assertion, or None. Called before any model is asked."""
        ...


class Checker(Validator, Protocol):
    """An assertion module of this folder."""

    def check(self, assertion: Assertion, subject: Subject) -> CheckOutcome:
        """Check one answer; `validate` has accepted the assertion."""
        ...


def resolve_operand(assertion: Assertion, case: Case) -> Any:
    """Return the assertion's value, or the case's `expected` where it has none, with variables filled in."""
    return fill_variables(case.expected if assertion.value is None else assertion.value, case)


def fill_variables(value: Any, case: Case) -> Any:
    """Fill the case's variables, and `expected`, into every text of a value; normalize the texts.

    Raises MissingVariable, and MessageTooLong where the texts together would fill the memory.
    """
    return _Filler(operand_variables(case)).fill(value)


class _Filler:
    """Fills variables into the texts of one value.

    No closure that calls itself: it would keep the variables of every case until the next collection of garbage.
    """

    def __init__(self, variables: dict[str, Any]) -> None:
        self._variables = variables
        self._remaining = render.MAX_MESSAGE_CHARS

    def fill(self, item: Any) -> Any:
        """Return the item with every text in it filled in and normalized."""
        if isinstance(item, str):
            text = render.render(item, self._variables, max_chars=self._remaining)
            self._remaining -= len(text)
            return unicodedata.normalize("NFC", text)
        if isinstance(item, list):
            return [self.fill(inner) for inner in item]
        if isinstance(item, Mapping):
            return {key: self.fill(inner) for key, inner in item.items()}
        return item


def operand_variables(case: Case) -> dict[str, Any]:
    """Return the variables that an operand may use."""
    return {"expected": case.expected, **case.vars} if case.expected is not None else dict(case.vars)


def to_text(value: Any) -> str:
    """Return a text as it is, any other value as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def shorten(text: str, max_chars: int = MAX_QUOTED_CHARS) -> str:
    """Return the beginning of a text on one line."""
    # Splits no more words than are shown: a megabyte of answer is not split to show its first line.
    line = " ".join(text.strip()[: 100 * max_chars].split(maxsplit=max_chars))
    return f"{line[:max_chars]}…" if len(line) > max_chars else line


def quote(text: str) -> str:
    """Quote a text in a reason, shortened to one line."""
    return f"`{shorten(text)}`"


def quote_list(texts: Sequence[str]) -> str:
    """Quote the first of some texts in a reason, and count the others."""
    listed = [*map(quote, texts[:MAX_LISTED_TEXTS])]
    return join_names(listed, others=len(texts) - len(listed), last=", ")  # also read after `one of`


def quote_from(text: str, position: int) -> str:
    """Quote a text from a little before a position on, if its beginning alone would not show that place."""
    begin = position - MAX_QUOTED_CHARS // 3
    if len(text) <= MAX_QUOTED_CHARS or begin <= 0:
        return quote(text)
    return f"`…{shorten(text[min(begin, len(text) - MAX_QUOTED_CHARS) :])}`"


def text_outcome(*, passed: bool, requirement: str, subject: Subject, position: int | None = 0) -> CheckOutcome:
    """Return the outcome of a check of the text: the requirement, and the answer if it failed.

    `position`: where in the answer it shows that it failed; None: no place shows what the whole answer lacks.
    """
    if passed:
        return CheckOutcome(passed=True, reason=requirement)
    if position is None:
        if len(subject.text) > MAX_QUOTED_CHARS:
            return CheckOutcome(passed=False, reason=f"{requirement}; got a text of {len(subject.text):,} characters")
        position = 0
    return CheckOutcome(passed=False, reason=f"{requirement}; got {quote_from(subject.text, position)}")


def text_operand_error(assertion: Assertion, case: Case) -> str | None:
    """Return what is wrong with an operand that must be a text, or a number that stands for one."""
    operand = resolve_operand(assertion, case)
    if operand is None:
        return "there is no `value`, and the case has no `expected`"
    if isinstance(operand, list):
        return "`value` must be a text, not a list; `contains-all` and `contains-any` take lists"
    if isinstance(operand, dict):
        return "`value` must be a text, not a map"
    return "the text to look for is empty, so every answer would pass" if not to_text(operand) else None


def list_operand_error(assertion: Assertion, case: Case) -> str | None:
    """Return what is wrong with an operand that must be a list of texts."""
    operand = resolve_operand(assertion, case)
    if not isinstance(operand, list) or not operand:
        return "`value` must be a list of texts with at least one entry"
    return None if all(isinstance(item, str) and item for item in operand) else "every entry of `value` must be a text"


def flag_error(assertion: Assertion, *names: str) -> str | None:
    """Return an error for the first of these options that is neither true nor false."""
    wrong = [name for name in names if name in assertion.options and not isinstance(assertion.options[name], bool)]
    return f"`{wrong[0]}` must be true or false" if wrong else None


def to_finite_float(value: object) -> float | None:
    """Return a number as a float; None for anything else, and for numbers that are not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # an integer beyond the range of floats
        return None


def limit_error(options: Mapping[str, Any], *names: str) -> str | None:
    """Return an error for the first of these options that is not a number from 0; missing or null ones are fine."""
    for name in names:
        if options.get(name) is not None:
            value = to_finite_float(options[name])
            if value is None or value < 0:
                return f"`{name}` must be a number from 0"
    return None


def suggest_name(word: str, known: Collection[str]) -> str:
    """Return a hint for an unknown name: the nearest known one, or all of them."""
    return suggest(shorten(word), known) or f"Known: {', '.join(sorted(known)) or 'none'}."
