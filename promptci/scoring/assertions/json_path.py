"""`json-path`: one place of the JSON answer equals a value. Paths: `$.items[0].id`, `$["a key"]`; no wildcards."""

import re
from typing import Any

from promptci.files import canonical, lines
from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base, is_json
from promptci.scoring.assertions.base import CheckOutcome, Subject

OPTIONS = is_json.OPTIONS | {"path"}
STEP = re.compile(
    r"\.(?P<key>[\w-]+)|\[(?P<index>-?\d{1,9})\]|\[(?P<quote>[\"'])(?P<quoted>.*?)(?P=quote)\]", re.DOTALL
)


def validate(assertion: Assertion, case: Case) -> str | None:
    """Need a path, and a value to compare with."""
    path = assertion.options.get("path")
    if not isinstance(path, str) or steps(path) is None:
        return "`path` must be a path such as `$.items[0].id`"
    if base.resolve_operand(assertion, case) is None:
        return "there is no `value`, and the case has no `expected`"
    return is_json.validate(assertion, case)


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Parse the answer, walk the path, compare."""
    path, wanted = assertion.options["path"], base.resolve_operand(assertion, subject.case)
    said = f"{base.shorten(path)} should be {base.quote(base.to_text(wanted))}"
    try:
        value = is_json.parse(assertion, subject)
    except lines.JsonError as error:
        return base.text_outcome(
            passed=False, wanted=f"{said}, but this is not JSON ({base.shorten(str(error))})", subject=subject
        )
    for step in steps(path) or []:
        try:
            value = value[step] if isinstance(value, dict | list) else {}[step]
        except (KeyError, IndexError, TypeError):
            missing = f"{said}, but there is no {base.quote(str(step))} on the way"
            return base.text_outcome(passed=False, wanted=missing, subject=subject)
    return base.text_outcome(passed=canonical.digest(value) == canonical.digest(wanted), wanted=said, subject=subject)


def steps(path: str) -> list[Any] | None:
    """Give the keys and indexes of a path; None where it cannot be read."""
    if not path.startswith("$"):
        return None
    found: list[Any] = []
    position = 1
    while position < len(path):
        match = STEP.match(path, position)
        if match is None:
            return None
        key = match["key"] if match["key"] is not None else match["quoted"]
        found.append(int(match["index"]) if match["index"] is not None else key)
        position = match.end()
    return found
