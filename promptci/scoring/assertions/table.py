"""The table of assertions that code marks. Those that a model scores are separate: see judge.py, similar.py."""

from promptci.scoring.assertions import (
    contains,
    contains_all,
    contains_any,
    cost,
    ends_with,
    equals,
    icontains,
    iequals,
    is_json,
    json_path,
    json_schema,
    latency,
    length,
    not_contains,
    number,
    one_of,
    regex_match,
    starts_with,
)
from promptci.scoring.assertions.base import Checker

ASSERTIONS: dict[str, Checker] = {
    "equals": equals,
    "iequals": iequals,
    "contains": contains,
    "icontains": icontains,
    "not-contains": not_contains,
    "contains-all": contains_all,
    "contains-any": contains_any,
    "starts-with": starts_with,
    "ends-with": ends_with,
    "regex": regex_match,
    "one-of": one_of,
    "number": number,
    "is-json": is_json,
    "json-schema": json_schema,
    "json-path": json_path,
    "length": length,
    "latency": latency,
    "cost": cost,
}
