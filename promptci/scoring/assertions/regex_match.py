"""`regex`: the pattern is found in the answer.

The syntax is Python's. A variable in a pattern stands for its very text: `^Dear {{customer}}` is right for a customer
named `A. (Ann)`. A pattern that takes longer than a second leaves the answer unscored, which is missing data: whether
it would have matched is unknown.
"""

import regex

from promptci.goldens.model import Assertion, Case
from promptci.prompts import render
from promptci.scoring.assertions import base, patterns
from promptci.scoring.assertions.base import CheckOutcome, Subject

OPTIONS = frozenset({"ignore_case", "full"})


def validate(assertion: Assertion, case: Case) -> str | None:
    """Need a pattern that can be built."""
    written = _written(assertion, case)
    if not isinstance(written, str) or not written:
        return "`value` must be a pattern"
    if wrong := base.flag_error(assertion, "ignore_case", "full"):
        return wrong
    try:
        patterns.compiled(_filled(written, case), ignore_case=assertion.options.get("ignore_case", False))
    except patterns.PatternError as error:
        return str(error)
    return None


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Search the answer, or match the whole of it with `full: true`."""
    pattern = _filled(_written(assertion, subject.case), subject.case)
    options = {name: assertion.options.get(name, False) for name in OPTIONS}
    try:
        found = patterns.search(pattern, subject.text.strip(), **options)
    except TimeoutError:
        return CheckOutcome(
            passed=None, reason=f"the pattern took longer than {patterns.TIMEOUT_S:.0f} s; write it simpler"
        )
    return base.text_outcome(passed=found, wanted=f"should match {base.quote(pattern)}", subject=subject)


def _written(assertion: Assertion, case: Case) -> object:
    return case.expected if assertion.value is None else assertion.value


def _filled(pattern: object, case: Case) -> str:
    variables = base.operand_variables(case)
    return render.VARIABLE.sub(
        lambda found: regex.escape(render.format_value(render.look_up_variable(found[1], variables))), str(pattern)
    )
