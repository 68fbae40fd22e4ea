"""promptfoo's assertions in promptci's terms. What has no counterpart is named, never half-checked."""

import re
from collections.abc import Mapping
from typing import Any

SAME = ("equals", "contains", "icontains", "contains-all", "contains-any", "regex", "starts-with")
"""Types that mean the same under the same name."""
_FIELD = re.compile(
    r"\s*(?:return\s+)?JSON\.parse\(output\)((?:\.[A-Za-z_]\w*|\[\d+\])+)\s*={2,3}\s*"
    r"(?P<value>'[^'\\]*'|\"[^\"\\]*\"|-?\d+(?:\.\d+)?|true|false)\s*;?\s*"
)
_LENGTH = re.compile(r"\s*(?:return\s+)?output\.length\s*(?P<operator><=?|>=?)\s*(?P<number>\d{1,9})\s*;?\s*")
_INCLUDES = re.compile(r"\s*(?:return\s+)?(?P<no>!?)output\.includes\((?P<text>'[^'\\]*'|\"[^\"\\]*\")\)\s*;?\s*")
_LITERALS: dict[str, Any] = {"true": True, "false": False}


class NoCounterpartError(Exception):
    """An assertion that promptci does not have; the text names it."""


def convert_assertion(assertion: Mapping[str, Any]) -> dict[str, Any]:
    """Return one assertion in promptci's terms; raise NoCounterpartError for one that it does not have."""
    kind, value = str(assertion.get("type", "")), assertion.get("value")
    unknown = {"transform", "config", "contextTransform"} & {key for key in assertion if assertion[key] is not None}
    if unknown:
        raise NoCounterpartError(f"{kind} with `{min(unknown)}`")
    if isinstance(value, str) and value.startswith("file://"):
        raise NoCounterpartError(f"{kind} with a value in a file")
    converted = _convert(kind, value, assertion.get("threshold"))
    weight = assertion.get("weight")
    return {**converted, **({} if weight in {None, 1} else {"weight": weight})}


def _convert(kind: str, value: Any, threshold: Any) -> dict[str, Any]:
    if kind in SAME:
        return {
            "type": kind,
            "value": value,
            **({"trim": False} if kind == "equals" and isinstance(value, str) else {}),
        }
    match kind:
        case "not-contains":
            return {"type": "not-contains", "value": value, "ignore_case": False}
        case "not-icontains":
            return {"type": "not-contains", "value": value}
        case "is-json":
            return {"type": "is-json"} if value is None else {"type": "json-schema", "value": value}
        case "contains-json":
            fenced = {"fenced": True}
            return {"type": "is-json", **fenced} if value is None else {"type": "json-schema", "value": value, **fenced}
        case "cost" if threshold is not None:
            return {"type": "cost", "max_usd": threshold}
        case "latency" if threshold is not None:
            return {"type": "latency", "max_ms": threshold}
        case "word-count" if isinstance(value, int):
            return {"type": "length", "min": value, "max": value, "unit": "words"}
        case "word-count" if isinstance(value, dict) and set(value) <= {"min", "max"}:
            return {"type": "length", **value, "unit": "words"}
        case "similar" | "similar:cosine" if isinstance(value, str):
            return {"type": "similar", "to": value, "at_least": 0.75 if threshold is None else threshold}
        case "javascript" if isinstance(value, str):
            return _convert_javascript(value)
    raise NoCounterpartError(kind or "an assertion without `type`")


def _convert_javascript(text: str) -> dict[str, Any]:
    """Return what a line of JavaScript checks, where it compares a field, a length or a part of the text."""
    if match := _LENGTH.fullmatch(text):
        number, operator = int(match["number"]), match["operator"]
        bound = number + {"<": -1, ">": 1}.get(operator, 0)
        return {"type": "length", "max" if operator.startswith("<") else "min": bound}
    if match := _INCLUDES.fullmatch(text):
        substring = match["text"][1:-1]
        if match["no"]:
            return {"type": "not-contains", "value": substring, "ignore_case": False}
        return {"type": "contains", "value": substring}
    if match := _FIELD.fullmatch(text):
        written = match["value"]
        value = written[1:-1] if written[0] in "'\"" else _LITERALS.get(written)
        if value is None:
            value = float(written) if "." in written else int(written)
        return {"type": "json-path", "path": f"${match[1]}", "value": value}
    raise NoCounterpartError("javascript")


def parse_expected_column(text: str) -> dict[str, Any] | None:
    """Return the assertion of a cell of a `__expected` column, in promptfoo's terms; None for an empty cell."""
    if not text.strip():
        return None
    match = re.fullmatch(r"(?P<type>[a-z-]+)(?:\((?P<threshold>[\d.]+)\))?:(?P<value>.*)", text.strip(), re.DOTALL)
    if match is None:
        return {"type": "is-json"} if text.strip() == "is-json" else {"type": "equals", "value": text}
    kind, value = match["type"], match["value"].strip()
    kind = {"fn": "javascript", "eval": "javascript", "grade": "llm-rubric"}.get(kind, kind)
    threshold = {"threshold": float(match["threshold"])} if match["threshold"] else {}
    items = [item.strip() for item in value.split(",")] if kind in {"contains-all", "contains-any"} else value
    return {"type": kind, "value": items or None, **threshold}
