"""`is-json`: the answer is one JSON value; `fenced: true` allows a Markdown fence around it."""

from typing import Any

from promptci.files import lines
from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import CheckOutcome, Subject

OPTIONS = frozenset({"fenced"})
FENCE = "```"


def validate(assertion: Assertion, case: Case) -> str | None:
    """Check the option."""
    return base.flag_error(assertion, "fenced")


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Parse the answer."""
    try:
        parse(assertion, subject)
    except lines.JsonError as error:
        return base.text_outcome(passed=False, wanted=f"should be JSON ({base.shorten(str(error))})", subject=subject)
    return CheckOutcome(passed=True, reason="is JSON")


def parse(assertion: Assertion, subject: Subject) -> Any:
    """Give the value the answer stands for; JsonError where it is none (NaN and doubled keys are none)."""
    text = subject.text.strip()
    return lines.parse_json(_within_fence(text) if assertion.options.get("fenced", False) else text)


def _within_fence(text: str) -> str:
    """Give what stands in the fence around a trimmed text, or the text where there is none."""
    first, _, rest = text.partition("\n")
    word = first.removeprefix(FENCE).strip()
    opened = first.startswith(FENCE) and (not word or word.isalnum())
    return rest.removesuffix(FENCE) if opened and rest.endswith(FENCE) else text
