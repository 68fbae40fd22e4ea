"""`json-schema`: the answer is JSON that fits the schema in `value`, draft 2020-12 unless `$schema` names another.

A schema is never fetched from elsewhere, and `format` is not checked.
"""

from typing import TYPE_CHECKING

from promptci.files import lines
from promptci.goldens.model import Assertion, Case
from promptci.lazy_import import lazy_import
from promptci.scoring.assertions import base, is_json
from promptci.scoring.assertions.base import CheckOutcome, Subject

if TYPE_CHECKING:
    from promptci.scoring.assertions import bounded_schema, schema_check
else:
    bounded_schema = lazy_import("promptci.scoring.assertions.bounded_schema")
    schema_check = lazy_import("promptci.scoring.assertions.schema_check")

OPTIONS = is_json.OPTIONS


def validate(assertion: Assertion, case: Case) -> str | None:
    """Require a schema that is one."""
    return schema_check.find_operand_error(assertion.value) or is_json.validate(assertion, case)


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Parse the answer and check it; a check that exceeds its time limit is unscored."""
    try:
        value = is_json.parse(assertion, subject)
    except lines.JsonError as error:
        return base.text_outcome(
            passed=False, requirement=f"should be JSON ({base.shorten(str(error))})", subject=subject
        )
    try:
        wrong = bounded_schema.first_error(assertion.value, value)
    except bounded_schema.UndecidedError as error:
        return CheckOutcome(passed=None, reason=str(error))
    if wrong is None:
        return CheckOutcome(passed=True, reason="fits the schema")
    requirement = f"should fit the schema: {base.shorten(wrong.json_path)}: {base.shorten(wrong.message)}"
    return base.text_outcome(passed=False, requirement=requirement, subject=subject)
