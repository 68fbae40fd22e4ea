"""`json-path`: what a JSONPath (RFC 9535) selects in the JSON answer equals a value.

Of several values all must be equal, or with `match: any` one of them. Where the path selects nothing, it fails.
"""

import json
import unicodedata
from typing import TYPE_CHECKING, Any

from promptci.files import canonical, lines
from promptci.goldens.model import Assertion, Case
from promptci.lazy_import import lazy_import
from promptci.scoring.assertions import base, is_json
from promptci.scoring.assertions.base import CheckOutcome, Subject

if TYPE_CHECKING:
    from promptci.scoring.assertions import json_query
else:
    json_query = lazy_import("promptci.scoring.assertions.json_query")

OPTIONS = is_json.OPTIONS | {"path", "match"}
_MATCHES = ("all", "any")


def validate(assertion: Assertion, case: Case) -> str | None:
    """Require a path, and a value to compare with."""
    path = assertion.options.get("path")
    if not isinstance(path, str):
        return "`path` must be a JSONPath such as `$.items[0].id`"
    try:
        json_query.JsonQuery(path)
    except json_query.QueryError as error:
        return f"`path` must be a JSONPath such as `$.items[0].id`: {base.shorten(str(error), base.MAX_MESSAGE_CHARS)}"
    if assertion.options.get("match", "all") not in _MATCHES:
        return "`match` must be `all` or `any`"
    if base.resolve_operand(assertion, case) is None:
        return "there is no `value`, and the case has no `expected`"
    return is_json.validate(assertion, case)


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Parse the answer, follow the path, and compare the values there; what takes too long is unscored."""
    path, expected = assertion.options["path"], base.resolve_operand(assertion, subject.case)
    query = json_query.JsonQuery(unicodedata.normalize("NFC", path))
    match = "all" if query.is_singular else assertion.options.get("match", "all")
    of_several = "" if query.is_singular else {"all": "every value at ", "any": "a value at "}[match]
    requirement = f"{of_several}{base.shorten(path)} should be {describe_value(expected)}"
    try:
        value = is_json.parse(assertion, subject)
    except lines.JsonError as error:
        requirement = f"{requirement}, but the answer is not JSON ({base.shorten(str(error))})"
        return base.text_outcome(passed=False, requirement=requirement, subject=subject)
    digest, count = canonical.digest(expected), 0
    try:
        for place, item in query.select(value):
            count += 1
            if (canonical.digest(item) == digest) == (match == "any"):
                at = "" if query.is_singular else f" at {base.shorten(place)}"
                got = "" if match == "any" else f"; got {describe_value(item)}{at}"
                return CheckOutcome(passed=match == "any", reason=f"{requirement}{got}")
        if count == 0:
            step, parent = query.find_dead_end(value)
            reason = f"{requirement}; there is no {base.quote(step)} in {describe_value(parent)}"
            return CheckOutcome(passed=False, reason=reason)
    except json_query.QueryLimitError as error:
        return CheckOutcome(passed=None, reason=str(error))
    none = f"; none of {count} is" if match == "any" else ""
    return CheckOutcome(passed=match == "all", reason=f"{requirement}{none}")


def describe_value(value: Any) -> str:
    """Quote a value as JSON, with its type: `"4"` and `4` are not the same."""
    return f"{base.quote(json.dumps(value, ensure_ascii=False))} ({_json_type(value)})"


def _json_type(value: Any) -> str:
    if value is None:
        return "null"
    names = ((bool, "boolean"), (int | float, "number"), (str, "string"), (list, "array"))
    return next((name for types, name in names if isinstance(value, types)), "object")
