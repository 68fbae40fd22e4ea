"""`contains-all`: the answer contains every one of these texts."""

from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import CheckOutcome, Subject

OPTIONS = frozenset({"ignore_case"})


def validate(assertion: Assertion, case: Case) -> str | None:
    """Require a list of texts."""
    return base.list_operand_error(assertion, case) or base.flag_error(assertion, "ignore_case")


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Search for each text."""
    expected, missing = split_missing(assertion, subject)
    requirement = (
        f"should contain {base.quote_list(missing)}" if missing else f"contains all of {base.quote_list(expected)}"
    )
    return base.text_outcome(passed=not missing, requirement=requirement, subject=subject, position=None)


def split_missing(assertion: Assertion, subject: Subject) -> tuple[list[str], list[str]]:
    """Return the expected texts, and those of them that the answer does not contain."""
    expected: list[str] = base.resolve_operand(assertion, subject.case)
    if assertion.options.get("ignore_case", False):
        text = subject.text.casefold()
        return expected, [item for item in expected if item.casefold() not in text]
    return expected, [item for item in expected if item not in subject.text]
