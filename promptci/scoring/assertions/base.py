"""What every assertion is: a check of its own text before anything is asked, and a mark for one answer."""

import difflib
import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from promptci.goldens.model import Assertion, Case
from promptci.prompts import render
from promptci.runs.model import Answer
from promptci.scoring.model import AssertionResult

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
    case: Case
    answer: Answer


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckOutcome:
    """How one answer did."""

    passed: bool | None
    """None: unscored."""
    reason: str
    label: tuple[str, str] | None = None

    @property
    def score(self) -> float | None:
        """1 or 0; None when unscored."""
        return None if self.passed is None else float(self.passed)


def make_result(assertion: Assertion, outcome: CheckOutcome, cost_usd: Decimal | None = None) -> AssertionResult:
    """Give the mark of an outcome; `cost_usd`: of what was asked for it."""
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
    """Knows whether an assertion makes sense."""

    @property
    def OPTIONS(self) -> Collection[str]:  # noqa: N802 - a constant of the module
        """Keys it takes beside type, value, weight and name."""
        ...

    def validate(self, assertion: Assertion, case: Case) -> str | None:
        """Say what is wrong with the assertion, or None. Called before anything is asked."""
        ...


class Checker(Validator, Protocol):
    """A module of this folder."""

    def check(self, assertion: Assertion, subject: Subject) -> CheckOutcome:
        """Mark one answer; the assertion has been found valid."""
        ...


def resolve_operand(assertion: Assertion, case: Case) -> Any:
    """Give the assertion's value, or the case's `expected` where it has none; variables in a text are filled in."""
    return fill_variables(case.expected if assertion.value is None else assertion.value, case)


def fill_variables(value: Any, case: Case) -> Any:
    """Fill the case's variables, and `expected`, into every text of a value."""
    if isinstance(value, str):
        return render.render(value, operand_variables(case))
    if isinstance(value, list):
        return [fill_variables(item, case) for item in value]
    if isinstance(value, Mapping):
        return {key: fill_variables(item, case) for key, item in value.items()}
    return value


def operand_variables(case: Case) -> dict[str, Any]:
    """Give the variables that an operand may use."""
    return {"expected": case.expected, **case.vars} if case.expected is not None else dict(case.vars)


def to_text(value: Any) -> str:
    """Give a value as an answer would write it: text as it is, else JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def shorten(text: str, most: int = MAX_QUOTED_CHARS) -> str:
    """Give the beginning of a text on one line."""
    # Never more words than characters are shown: a megabyte of answer is not split to show its first line.
    line = " ".join(text.strip()[: 100 * most].split(maxsplit=most))
    return f"{line[:most]}…" if len(line) > most else line


def quote(text: str) -> str:
    """Quote a text in a reason, on one line and not too long."""
    return f"`{shorten(text)}`"


def quote_list(texts: Sequence[str]) -> str:
    """Quote the first of some texts in a reason, and count the others."""
    more = len(texts) - MAX_LISTED_TEXTS
    return ", ".join(map(quote, texts[:MAX_LISTED_TEXTS])) + (f" and {more} more" if more > 0 else "")


def text_outcome(*, passed: bool, wanted: str, subject: Subject) -> CheckOutcome:
    """Give the outcome of a check of the text, with what was wanted and what came."""
    return CheckOutcome(passed=passed, reason=wanted if passed else f"{wanted}; got {quote(subject.text)}")


def text_operand_error(assertion: Assertion, case: Case) -> str | None:
    """Say what is wrong with an operand that must be a text, or a number that stands for one."""
    found = resolve_operand(assertion, case)
    if found is None:
        return "there is no `value`, and the case has no `expected`"
    if isinstance(found, dict | list):
        return f"`value` must be a text, not {'a list' if isinstance(found, list) else 'a map'}"
    return "the text to look for is empty, so every answer would pass" if not to_text(found) else None


def list_operand_error(assertion: Assertion, case: Case) -> str | None:
    """Say what is wrong with an operand that must be a list of texts."""
    found = resolve_operand(assertion, case)
    if not isinstance(found, list) or not found:
        return "`value` must be a list of texts with at least one entry"
    return None if all(isinstance(item, str) and item for item in found) else "every entry of `value` must be a text"


def flag_error(assertion: Assertion, *names: str) -> str | None:
    """Say which option that must be true or false is neither."""
    wrong = [n for n in names if n in assertion.options and not isinstance(assertion.options[n], bool)]
    return f"`{wrong[0]}` must be true or false" if wrong else None


def to_finite_float(value: object) -> float | None:
    """Give a number as a float; None for what is no number, or none that is finite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # a whole number beyond every float
        return None


def limit_error(options: Mapping[str, Any], *names: str) -> str | None:
    """Say which option that must be a number from 0 is none; one that is not given, or null, is fine."""
    for name in names:
        if options.get(name) is not None:
            value = to_finite_float(options[name])
            if value is None or value < 0:
                return f"`{name}` must be a number from 0"
    return None


def suggest_name(word: str, known: Collection[str]) -> str:
    """Word the advice for an unknown name."""
    near = difflib.get_close_matches(shorten(word), list(known), n=1)
    return f"Did you mean `{near[0]}`?" if near else f"Known are: {', '.join(sorted(known)) or 'none'}."
