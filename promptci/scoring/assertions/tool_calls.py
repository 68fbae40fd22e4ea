"""`tool-calls`: the model called these tools, with these arguments.

`value` lists the calls: `name`, and `arguments` that must be equal or `schema`, a JSON Schema that they must fit. An
empty list means that no tool may be called.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from promptci.files import canonical, lines
from promptci.goldens.model import Assertion, Case
from promptci.lazy_import import lazy_import
from promptci.providers.base import ToolCall
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import CheckOutcome, Subject

if TYPE_CHECKING:
    from promptci.scoring.assertions import bounded_schema, schema_check
else:
    bounded_schema = lazy_import("promptci.scoring.assertions.bounded_schema")
    schema_check = lazy_import("promptci.scoring.assertions.schema_check")

OPTIONS = frozenset({"order", "others"})
CALL_KEYS = ("name", "arguments", "schema")
MAX_CALLS = 20
ORDERS = ("same", "any")


def validate(assertion: Assertion, case: Case) -> str | None:
    """Require a list of calls, each with a name, and arguments or a schema at most."""
    if assertion.options.get("order", "same") not in ORDERS:
        return "`order` must be `same` or `any`"
    if wrong := base.flag_error(assertion, "others"):
        return wrong
    calls = assertion.value
    if not isinstance(calls, list) or len(calls) > MAX_CALLS:
        return f"`value` must be a list of at most {MAX_CALLS} calls; an empty one means that no tool may be called"
    if not calls and assertion.options.get("others"):
        return "`value` is empty and `others` is true, so every answer would pass"
    if mistakes := [wrong for call in calls if (wrong := _find_mistake(call)) is not None]:
        return mistakes[0]
    for call in calls:
        _fill_arguments(call, case)  # a variable that is missing is found now
    return None


def _find_mistake(call: Any) -> str | None:
    if not isinstance(call, Mapping) or not isinstance(call.get("name"), str) or not call["name"]:
        return "each call in `value` must be a map with the `name` of a tool"
    for key in call:
        if key not in CALL_KEYS:
            return f"unknown key {base.quote(str(key))} of a call. {base.suggest_name(str(key), CALL_KEYS)}"
    if "arguments" in call and "schema" in call:
        return "a call has either `arguments` or `schema`"
    if "arguments" in call and not isinstance(call["arguments"], Mapping):
        return "`arguments` must be a map"
    if "schema" in call and not isinstance(call["schema"], Mapping):
        return "`schema` must be a JSON Schema"
    wrong = schema_check.problem(call["schema"]) if "schema" in call else None
    return base.shorten(wrong, base.MAX_MESSAGE_CHARS) if wrong else None


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Compare the calls of the answer with those that are expected; a schema that takes too long is unscored."""
    completion = subject.answer.completion
    actual_calls = completion.tool_calls if completion is not None else ()
    expected = [_fill_arguments(call, subject.case) for call in assertion.value]
    requirement = f"should call {_describe_expected(expected)}"
    try:
        faults = [[_find_fault(call, actual) for actual in actual_calls] for call in expected]
    except bounded_schema.UndecidedError as error:
        return CheckOutcome(passed=None, reason=str(error))
    is_ordered = assertion.options.get("order", "same") == "same"
    assign = _assign_in_order if is_ordered else _assign_any
    fits = assign(len(actual_calls), faults)
    has_others = len(actual_calls) > len(expected) and not assertion.options.get("others", False)
    if fits and not has_others:
        return CheckOutcome(passed=True, reason=requirement)
    detail = next((fault for row in faults for fault in row if fault and ": " in fault and None not in row), "")
    got = f"{requirement}; got {_describe_made(actual_calls)}"
    return CheckOutcome(passed=False, reason=f"{got}; {detail}" if detail else got)


def _fill_arguments(call: Mapping[str, Any], case: Case) -> Mapping[str, Any]:
    if "arguments" not in call:
        return call
    return {**call, "arguments": base.fill_variables(call["arguments"], case)}


def _find_fault(expected: Mapping[str, Any], actual: ToolCall) -> str | None:
    """Return detail a call is not the one that is expected; None where it is."""
    if actual.name != expected["name"]:
        return "another tool"
    if "arguments" not in expected and "schema" not in expected:
        return None
    try:
        arguments = lines.parse_json(actual.arguments or "{}")
    except lines.JsonError:
        return f"{actual.name}: its arguments are not JSON"
    if "schema" in expected:
        wrong = bounded_schema.first_error(expected["schema"], arguments)
        return None if wrong is None else f"{actual.name}: {base.shorten(wrong.message)}"
    if canonical.digest(arguments) == canonical.digest(expected["arguments"]):
        return None
    return f"{actual.name}: the arguments should be {base.quote(json.dumps(expected['arguments'], ensure_ascii=False))}"


def _assign_in_order(actual_calls: int, faults: Sequence[Sequence[str | None]]) -> bool:
    """Return whether the expected calls occur in this order; others may stand between them."""
    start = 0
    for row in faults:
        place = next((place for place in range(start, actual_calls) if row[place] is None), None)
        if place is None:
            return False
        start = place + 1
    return True


def _assign_any(actual_calls: int, faults: Sequence[Sequence[str | None]]) -> bool:
    """Return whether each expected call can be given a call of its own (augmenting paths)."""
    owner: dict[int, int] = {}

    def place(row: int, seen: set[int]) -> bool:
        for column in range(actual_calls):
            if faults[row][column] is None and column not in seen:
                seen.add(column)
                if column not in owner or place(owner[column], seen):
                    owner[column] = row
                    return True
        return False

    return all(place(row, set()) for row in range(len(faults)))


def _describe_expected(calls: Sequence[Mapping[str, Any]]) -> str:
    return _join((str(call["name"]), json.dumps(call.get("arguments", "…"), ensure_ascii=False)) for call in calls)


def _describe_made(calls: Sequence[ToolCall]) -> str:
    return _join((call.name, call.arguments) for call in calls)


def _join(calls: Iterator[tuple[str, str]]) -> str:
    shown = [base.quote(f"{name}({arguments.strip(chr(34))})") for name, arguments in calls]
    return ", ".join(shown) or "no tool"
