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
    tool_calls,
)
from promptci.scoring.assertions.base import Checker
from promptci.scoring.assertions.combined import assert_set, negation
from promptci.scoring.assertions.likeness import bleu, gleu, levenshtein, rouge
from promptci.scoring.assertions.markup import contains_json, finish_reason, html, refusal, xml

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
    "contains-json": contains_json,
    "is-xml": xml.IS_XML,
    "contains-xml": xml.CONTAINS_XML,
    "is-html": html.IS_HTML,
    "contains-html": html.CONTAINS_HTML,
    "is-refusal": refusal,
    "finish-reason": finish_reason,
    "levenshtein": levenshtein,
    "rouge-n": rouge,
    "bleu": bleu,
    "gleu": gleu,
    "tool-calls": tool_calls,
    "length": length,
    "latency": latency,
    "cost": cost,
}
ASSERTIONS |= {
    f"{negation.PREFIX}{name}": negation.Negation(name, checker)
    for name, checker in ASSERTIONS.items()
    if name != "not-contains"  # which is one of its own, and ignores case
    and f"{negation.PREFIX}{name}" not in ASSERTIONS
}
"""Each can be negated, but for `contains`, of which `not-contains` is an assertion of its own."""
ASSERTIONS[assert_set.TYPE] = assert_set.AssertSet(ASSERTIONS)
