"""`assert-set`: assertions in code that count as one.

All must hold; with `threshold`, the mean of their scores, each by its weight, must reach it instead.
"""

from collections.abc import Mapping
from typing import Any

from promptci.goldens.model import Assertion, Case
from promptci.goldens.parse import ASSERTION_KEYS
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import Checker, CheckOutcome, Subject

TYPE = "assert-set"
MAX_ASSERTIONS = 100
MAX_DEPTH = 2
"""Sets within each other: a test of promptfoo with a threshold holds sets of its own."""


class AssertSet:
    """The assertion, which knows the others."""

    OPTIONS = frozenset({"assert", "threshold"})

    def __init__(self, checkers: Mapping[str, Checker]) -> None:
        """Keep the table of assertions, to which this one belongs."""
        self._checkers = checkers

    def validate(self, assertion: Assertion, case: Case) -> str | None:
        """Require assertions in code, of which at least one counts, and a threshold that some answer misses."""
        return self._find_error(assertion, case, 1)

    def _find_error(self, assertion: Assertion, case: Case, depth: int) -> str | None:
        items, threshold = assertion.options.get("assert"), assertion.options.get("threshold")
        if not isinstance(items, list) or not 0 < len(items) <= MAX_ASSERTIONS:
            return f"`assert` must list 1 to {MAX_ASSERTIONS} assertions"
        if threshold is not None and not 0 < (base.to_finite_float(threshold) or 0) <= 1:
            return "`threshold` must be a number above 0, up to 1"
        for item in items:
            if not isinstance(item, Mapping) or not isinstance(item.get("type"), str):
                return "each entry of `assert` must be a map with `type`"
            weight = base.to_finite_float(item.get("weight", 1))
            if weight is None or weight < 0:
                return "`weight` of an entry must be a number from 0"
            if error := self._find_item_error(read_assertion(item), case, depth):
                return f"`{base.shorten(str(item['type']))}`: {error}"
        if not any(read_assertion(item).weight for item in items):
            return "every entry has weight 0, so every answer would pass"
        return None

    def _find_item_error(self, item: Assertion, case: Case, depth: int) -> str | None:
        if item.type == TYPE:
            return self._find_error(item, case, depth + 1) if depth < MAX_DEPTH else "it is nested too deeply"
        checker = self._checkers.get(item.type)
        if checker is None:
            return f"only assertions in code can be in a set. {base.suggest_name(item.type, self._checkers)}"
        unknown = next((str(name) for name in item.options if name not in checker.OPTIONS), None)
        if unknown is not None:
            return f"unknown option {base.quote(unknown)}. {base.suggest_name(unknown, checker.OPTIONS)}"
        return checker.validate(item, case)

    def check(self, assertion: Assertion, subject: Subject) -> CheckOutcome:
        """Check each, and add them up."""
        items = [item for item in map(read_assertion, assertion.options["assert"]) if item.weight]
        outcomes = [self._check_item(item, subject) for item in items]
        unscored = next((outcome for outcome in outcomes if outcome.passed is None), None)
        if unscored is not None:
            return CheckOutcome(passed=None, reason=unscored.reason)
        total = sum(item.weight for item in items)
        score = sum((outcome.score or 0.0) * item.weight for item, outcome in zip(items, outcomes, strict=True)) / total
        failed = [
            f"{item.name or item.type}: {outcome.reason}"
            for item, outcome in zip(items, outcomes, strict=True)
            if not outcome.passed
        ]
        threshold = assertion.options.get("threshold")
        if threshold is None:
            return CheckOutcome(passed=not failed, reason="; ".join(failed) or "all hold", fraction=score)
        reason = f"the score is {score:.2f}; should be at least {threshold:g}"
        return CheckOutcome(passed=score >= threshold, reason="; ".join([reason, *failed]), fraction=score)

    def _check_item(self, item: Assertion, subject: Subject) -> CheckOutcome:
        return self._checkers[item.type].check(item, subject)


def read_assertion(item: Mapping[str, Any]) -> Assertion:
    """Return an entry of a set as an assertion; `validate` has accepted it."""
    return Assertion(
        type=str(item["type"]),
        value=item.get("value"),
        options={str(key): option for key, option in item.items() if key not in ASSERTION_KEYS},
        weight=float(item.get("weight", 1)),
        name=str(item.get("name") or ""),
    )
