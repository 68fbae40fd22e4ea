"""`not-…`: an assertion in code that must not hold. What is unscored stays unscored."""

from collections.abc import Collection

from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions.base import Checker, CheckOutcome, Subject

PREFIX = "not-"


class Negation:
    """An assertion that holds where another one does not."""

    def __init__(self, name: str, checker: Checker) -> None:
        """Keep what is negated."""
        self._name = name
        self._checker = checker

    @property
    def OPTIONS(self) -> Collection[str]:  # noqa: N802 - as the modules of the other assertions have it
        """The options of what is negated."""
        return self._checker.OPTIONS

    def validate(self, assertion: Assertion, case: Case) -> str | None:
        """Return what is wrong with the assertion that is negated."""
        return self._checker.validate(assertion, case)

    def check(self, assertion: Assertion, subject: Subject) -> CheckOutcome:
        """Check and invert."""
        outcome = self._checker.check(assertion, subject)
        if outcome.passed is None:
            return outcome
        reason = f"should not hold: {self._name}: {outcome.reason}"
        fraction = None if outcome.fraction is None else 1 - outcome.fraction
        return CheckOutcome(passed=not outcome.passed, reason=reason, fraction=fraction)
