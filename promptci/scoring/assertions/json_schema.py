"""`json-schema`: the answer is JSON that fits the schema in `value`. A schema is never fetched from elsewhere."""

from typing import Any

from promptci.files import lines
from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base, is_json
from promptci.scoring.assertions.base import Outcome, Subject

OPTIONS = is_json.OPTIONS


def validate(assertion: Assertion, case: Case) -> str | None:
    """Need a schema that is one."""
    import jsonschema  # noqa: PLC0415 - heavy: keeps --help fast

    if not isinstance(assertion.value, dict):
        return "`value` must be a JSON Schema"
    try:
        _checker(assertion.value).check_schema(assertion.value)
    except jsonschema.SchemaError as error:
        return f"the schema is not valid: {error.message[:200]}"
    return is_json.validate(assertion, case)


def mark(assertion: Assertion, subject: Subject) -> Outcome:
    """Parse the answer and check it."""
    import jsonschema  # noqa: PLC0415 - heavy: keeps --help fast
    import referencing  # noqa: PLC0415 - comes with jsonschema

    try:
        value = is_json.parse(assertion, subject)
    except lines.JsonError as error:
        return base.verdict(passed=False, wanted=f"should be JSON ({error})", subject=subject)
    checker = _checker(assertion.value)(assertion.value, registry=referencing.Registry())
    try:
        wrong = jsonschema.exceptions.best_match(checker.iter_errors(value))
    except referencing.exceptions.Unresolvable as error:
        return Outcome(passed=None, reason=f"the schema refers to {base.quoted(error.ref)}, which is not in it")
    if wrong is None:
        return Outcome(passed=True, reason="fits the schema")
    where = wrong.json_path
    return base.verdict(passed=False, wanted=f"should fit the schema: {where}: {wrong.message[:200]}", subject=subject)


def _checker(schema: dict[str, Any]) -> Any:
    import jsonschema  # noqa: PLC0415 - heavy: keeps --help fast

    return jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
