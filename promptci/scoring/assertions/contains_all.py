"""`contains-all`: the answer holds every one of these texts."""

from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import CheckOutcome, Subject

OPTIONS = frozenset({"ignore_case"})


def validate(assertion: Assertion, case: Case) -> str | None:
    """Need a list of texts."""
    return base.list_operand_error(assertion, case) or base.flag_error(assertion, "ignore_case")


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Look for each text."""
    wanted, missing = lookup(assertion, subject)
    said = f"should contain {base.quote_list(missing)}" if missing else f"contains all of {base.quote_list(wanted)}"
    return base.text_outcome(passed=not missing, wanted=said, subject=subject)


def lookup(assertion: Assertion, subject: Subject) -> tuple[list[str], list[str]]:
    """Give the texts looked for, and those of them that are not in the answer."""
    wanted: list[str] = base.resolve_operand(assertion, subject.case)
    if assertion.options.get("ignore_case", False):
        text = subject.text.casefold()
        return wanted, [one for one in wanted if one.casefold() not in text]
    return wanted, [one for one in wanted if one not in subject.text]
