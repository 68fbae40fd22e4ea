"""`contains-json`: a JSON object is anywhere in the answer; with `value`, one that is valid under this schema."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from promptci.errors import InputError
from promptci.files import lines, strict_yaml
from promptci.goldens.model import Assertion, Case
from promptci.lazy_import import lazy_import
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import CheckOutcome, Subject

if TYPE_CHECKING:
    from promptci.scoring.assertions import bounded_schema, schema_check
else:
    bounded_schema = lazy_import("promptci.scoring.assertions.bounded_schema")
    schema_check = lazy_import("promptci.scoring.assertions.schema_check")

OPTIONS: frozenset[str] = frozenset()
MAX_CHARS = 100_000
MAX_OBJECTS = 50
"""Places of an answer at which an object is looked for."""


def validate(assertion: Assertion, case: Case) -> str | None:
    """Require a schema that is one, where there is any."""
    return None if assertion.value is None else schema_check.find_operand_error(assertion.value)


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Find the objects, and check each until one fits."""
    objects = list(find_objects(subject.text))
    if assertion.value is None or not objects:
        return base.text_outcome(passed=bool(objects), requirement="should contain a JSON object", subject=subject)
    reason = ""
    for item in objects:
        try:
            wrong = bounded_schema.first_error(assertion.value, item)
        except bounded_schema.UndecidedError as error:
            return CheckOutcome(passed=None, reason=str(error))
        if wrong is None:
            return CheckOutcome(passed=True, reason="contains JSON that fits the schema")
        reason = f"{base.shorten(wrong.json_path)}: {base.shorten(wrong.message)}"
    requirement = f"should contain JSON that fits the schema: {reason}"
    return base.text_outcome(passed=False, requirement=requirement, subject=subject)


def find_objects(text: str) -> Iterator[Any]:
    """Yield the objects in braces that a text contains; those within another one are part of it."""
    text, start = text[:MAX_CHARS], 0
    for _ in range(MAX_OBJECTS):
        start = text.find("{", start)
        if start < 0:
            return
        end = _find_end(text, start)
        value = _parse(text[start:end])
        if value is None:
            start += 1
        else:
            yield value
            start = end


def _find_end(text: str, start: int) -> int:
    """Return the end of what the brace at `start` opens; braces in texts count too, as in promptfoo."""
    depth = 0
    for place in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return place + 1
    return len(text)


def _parse(text: str) -> Any:
    """Return an object, also one whose keys or texts have no quotes; None where it is none."""
    try:
        return lines.parse_json(text)
    except lines.JsonError:
        pass
    try:
        value = strict_yaml.load(text, "answer").value
    except InputError:
        return None
    return value if isinstance(value, dict) else None
