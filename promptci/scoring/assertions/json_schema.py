"""`json-schema`: the answer is JSON that fits the schema in `value`, draft 2020-12 unless `$schema` names another.

A schema is never fetched from elsewhere, and `format` is not checked.
"""

from promptci.files import lines
from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base, bounded_schema, is_json, schema_check
from promptci.scoring.assertions.base import Outcome, Subject

OPTIONS = is_json.OPTIONS


def validate(assertion: Assertion, case: Case) -> str | None:
    """Need a schema that is one."""
    if not isinstance(assertion.value, dict):
        return "`value` must be a JSON Schema"
    if wrong := schema_check.problem(assertion.value):
        return base.short(wrong, base.LINE)
    return is_json.validate(assertion, case)


def mark(assertion: Assertion, subject: Subject) -> Outcome:
    """Parse the answer and check it; what cannot be worked out in time is unscored."""
    try:
        value = is_json.parse(assertion, subject)
    except lines.JsonError as error:
        return base.verdict(passed=False, wanted=f"should be JSON ({base.short(str(error))})", subject=subject)
    try:
        wrong = bounded_schema.first_error(assertion.value, value)
    except bounded_schema.UndecidedError as error:
        return Outcome(passed=None, reason=str(error))
    if wrong is None:
        return Outcome(passed=True, reason="fits the schema")
    said = f"should fit the schema: {base.short(wrong.json_path)}: {base.short(wrong.message)}"
    return base.verdict(passed=False, wanted=said, subject=subject)
