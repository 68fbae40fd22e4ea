"""`is-json`: the answer is one JSON value; `fenced: true` allows a Markdown fence around it."""

import re
from typing import Any

from promptci.files import lines
from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import Outcome, Subject

OPTIONS = frozenset({"fenced"})
FENCE = re.compile(r"\s*```[a-zA-Z]*\s*\n(.*?)\n?\s*```\s*", re.DOTALL)


def validate(assertion: Assertion, case: Case) -> str | None:
    """Check the option."""
    return base.flag_problem(assertion, "fenced")


def mark(assertion: Assertion, subject: Subject) -> Outcome:
    """Parse the answer."""
    try:
        parse(assertion, subject)
    except lines.JsonError as error:
        return base.verdict(passed=False, wanted=f"should be JSON ({error})", subject=subject)
    return Outcome(passed=True, reason="is JSON")


def parse(assertion: Assertion, subject: Subject) -> Any:
    """Give the value the answer stands for; JsonError where it is none (NaN and doubled keys are none)."""
    text = subject.text
    if assertion.options.get("fenced", False) and (match := FENCE.fullmatch(text)):
        text = match[1]
    return lines.read_json(text)
