"""`json-path`: one place of the JSON answer equals a value. Paths: `$.items[0].id`, `$["a key"]`; no wildcards."""

import json
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
    """Require a path, and a value to compare with."""
    path = assertion.options.get("path")
    if not isinstance(path, str) or parse_path(path) is None:
        return "`path` must be a path such as `$.items[0].id`"
    if base.resolve_operand(assertion, case) is None:
        return "there is no `value`, and the case has no `expected`"
    return is_json.validate(assertion, case)


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Parse the answer, follow the path, and compare the value there."""
    path, expected = assertion.options["path"], base.resolve_operand(assertion, subject.case)
    wanted = f"{base.shorten(path)} should be {describe_value(expected)}"
    try:
        value = is_json.parse(assertion, subject)
    except lines.JsonError as error:
        wanted = f"{wanted}, but the answer is not JSON ({base.shorten(str(error))})"
        return base.text_outcome(passed=False, wanted=wanted, subject=subject)
    for step in parse_path(path) or []:
        try:
            value = value[step] if isinstance(value, dict | list) else {}[step]
        except (KeyError, IndexError, TypeError):
            reason = f"{wanted}; there is no {base.quote(str(step))} in {describe_value(value)}"
            return CheckOutcome(passed=False, reason=reason)
    passed = canonical.digest(value) == canonical.digest(expected)
    return CheckOutcome(passed=passed, reason=wanted if passed else f"{wanted}; got {describe_value(value)}")


def describe_value(value: Any) -> str:
    """Quote a value as JSON, with its type: `"4"` and `4` are not the same."""
    return f"{base.quote(json.dumps(value, ensure_ascii=False))} ({_json_type(value)})"


def _json_type(value: Any) -> str:
    if value is None:
        return "null"
    names = ((bool, "boolean"), (int | float, "number"), (str, "string"), (list, "array"))
    return next((name for types, name in names if isinstance(value, types)), "object")


def parse_path(path: str) -> list[Any] | None:
    """Return the keys and indexes of a path; None where it cannot be parsed."""
    if not path.startswith("$"):
        return None
    steps: list[Any] = []
    position = 1
    while position < len(path):
        match = STEP.match(path, position)
        if match is None:
            return None
        key = match["key"] if match["key"] is not None else match["quoted"]
        steps.append(int(match["index"]) if match["index"] is not None else key)
        position = match.end()
    return steps
