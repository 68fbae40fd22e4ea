"""AssertionTimer: bounds the processor time that the assertions of a whole run take together.

Each assertion has a limit of its own, but a golden set may hold thousands that each stay just below it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from promptci.config.run_limits import DEFAULT_ASSERTION_TIME_S
from promptci.goldens.model import Assertion, Case
from promptci.runs.model import AnswerError
from promptci.scoring.assertions.base import CheckOutcome, Subject
from promptci.scoring.assertions.table import ASSERTIONS
from promptci.wording import count

ERROR_KIND = "assertion-time"
NOT_CHECKED = "not checked: the assertions of the run had taken their time (`run.assertion_time`)"
MIN_NAMED_S = 0.005
"""Checks faster than this are counted and not remembered by case: they are never what takes long."""


class AssertionTimer:
    """The processor time of one run's assertions, and which case took most of it."""

    def __init__(self, limit_s: float = DEFAULT_ASSERTION_TIME_S) -> None:
        """Start at zero."""
        self._limit_s = limit_s
        self._used_s = 0.0
        self._slow: dict[tuple[str, str, str], tuple[float, int]] = {}
        self._refused = False

    @property
    def is_exhausted(self) -> bool:
        """Whether the time is used up."""
        return self._used_s >= self._limit_s

    @property
    def error(self) -> AnswerError | None:
        """What the run ends with where some answers were not checked for lack of time."""
        if not self._refused:
            return None
        return AnswerError(kind=ERROR_KIND, message=f"{self.describe()}: simplify it, or raise the limit")

    def check(self, assertion: Assertion, subject: Subject) -> CheckOutcome:
        """Check an answer by an assertion in code; leave it unscored where no time is left."""
        if self.is_exhausted:
            self._refused = True
            return CheckOutcome(passed=None, reason=NOT_CHECKED)
        with self.measure(assertion, subject.case):
            return ASSERTIONS[assertion.type].check(assertion, subject)

    @contextmanager
    def measure(self, assertion: Assertion, case: Case) -> Iterator[None]:
        """Add the time of a block to what the assertion of the case took."""
        started = time.thread_time()
        try:
            yield
        finally:
            taken = time.thread_time() - started
            self._used_s += taken
            if taken >= MIN_NAMED_S:
                key = (case.path, case.id, assertion.type)
                total, times = self._slow.get(key, (0.0, 0))
                self._slow[key] = (total + taken, times + 1)

    def describe(self) -> str:
        """Return what took too long, with the case that took most."""
        text = f"the assertions took more than {self._limit_s:g} s of processor time (`run.assertion_time`)"
        if not self._slow:
            return text
        (path, case_id, kind), (taken, times) = max(self._slow.items(), key=lambda item: item[1])
        return f"{text}; most of it {taken:.1f} s in {count(times, 'check')} of case `{case_id}` by `{kind}` ({path})"
