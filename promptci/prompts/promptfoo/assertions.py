"""promptfoo's assertions in promptci's terms. What has no counterpart is named, never half-checked."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from promptci.prompts.promptfoo.javascript import UntranslatableError, translate_javascript, translate_regex
from promptci.prompts.template import render

SAME = frozenset(("contains", "icontains", "is-html", "contains-html", "is-refusal"))
"""Types that mean the same under the same name."""
LISTS = {"contains-all": {}, "contains-any": {}, "icontains-all": {"ignore_case": True},
         "icontains-any": {"ignore_case": True}}  # fmt: skip
SCORES = {"rouge-n": 0.75, "bleu": 0.5, "gleu": 0.5}
"""Scores with the threshold that each has without one."""
RUBRICS = {
    "llm-rubric": "{}",
    "g-eval": "{}",
    "model-graded-closedqa": "The answer meets this criterion: {}",
    "factuality": "The answer agrees in every fact with this reference, and contradicts none: {}",
    "model-graded-factuality": "The answer agrees in every fact with this reference, and contradicts none: {}",
}
"""What the judge is asked for each assertion that a model grades, around its value."""
RELEVANCE = "The answer is about what was asked, and answers it."
NEVER_NEGATED = frozenset(("levenshtein", "latency", "cost", "finish-reason", "answer-relevance", *RUBRICS))
"""Types at which promptfoo overlooks `not-`."""
OTHER_DISTANCES = frozenset(("similar:dot", "similar:euclidean"))
DRAFT = "http://json-schema.org/draft-07/schema#"
GRADES = 4
"""Steps between the worst and the best grade of the judge."""
IGNORED_KEYS = frozenset(("type", "value", "threshold", "weight", "metric", "provider", "rubricPrompt"))
"""`metric` names a column of a table; provider and rubric prompt of a judge are those of promptci.yml."""
TYPES = frozenset(
    [
        "answer-relevance",
        "bleu",
        "classifier",
        "contains",
        "contains-all",
        "contains-any",
        "contains-html",
        "contains-json",
        "contains-sql",
        "contains-xml",
        "context-faithfulness",
        "context-recall",
        "context-relevance",
        "conversation-relevance",
        "cost",
        "equals",
        "factuality",
        "finish-reason",
        "g-eval",
        "gleu",
        "guardrails",
        "icontains",
        "icontains-all",
        "icontains-any",
        "is-html",
        "is-json",
        "is-refusal",
        "is-sql",
        "is-valid-function-call",
        "is-valid-openai-function-call",
        "is-valid-openai-tools-call",
        "is-xml",
        "javascript",
        "latency",
        "levenshtein",
        "llm-rubric",
        "meteor",
        "model-graded-closedqa",
        "model-graded-factuality",
        "moderation",
        "perplexity",
        "perplexity-score",
        "pi",
        "python",
        "regex",
        "rouge-n",
        "ruby",
        "similar",
        "starts-with",
        "tool-call-f1",
        "webhook",
        "word-count",
        "fn",
        "eval",
        "grade",
    ]
)
"""Types that a cell of a table may begin with; any other text is what the answer must equal."""
DEFAULT_THRESHOLDS = {
    **dict.fromkeys(("answer-relevance", "cost", "latency", "levenshtein", "rouge-n"), 0.75),
    "similar": 0.8,
}
"""Thresholds of a cell that writes none."""
_ITEMS = re.compile(r'(".*?"|[^,]+)(?=\s*,|\s*\Z)')


class NoCounterpartError(Exception):
    """An assertion that promptci does not have; the text names it."""


def convert_assertion(assertion: Mapping[str, Any]) -> dict[str, Any]:
    """Return one assertion in promptci's terms; raise NoCounterpartError for one that it does not have."""
    kind, value = str(assertion.get("type", "")), assertion.get("value")
    unknown = {str(key) for key in assertion if assertion[key] is not None} - IGNORED_KEYS
    if kind == "assert-set":
        return _convert_set(assertion, unknown - {"assert"})
    if unknown:
        raise NoCounterpartError(f"{kind} with `{min(unknown)}`")
    if isinstance(value, str) and value.startswith("file://"):
        raise NoCounterpartError(f"{kind} with a value in a file")
    values = value if isinstance(value, list) else [value]
    if any(isinstance(item, str) and render.find_unfilled_braces(item) for item in values):
        raise NoCounterpartError(f"{kind} with a template in its value")
    try:
        converted = _convert(kind, value, assertion.get("threshold"))
    except UntranslatableError as error:
        raise NoCounterpartError(f"{kind}" if str(error) == kind else f"{kind}: {error}") from error
    return {**converted, **_weight(assertion)}


def _weight(assertion: Mapping[str, Any]) -> dict[str, Any]:
    weight = assertion.get("weight")
    return {} if weight is None or weight == 1 else {"weight": weight}


def _convert_set(assertion: Mapping[str, Any], unknown: set[str]) -> dict[str, Any]:
    if unknown or not isinstance(assertion.get("assert"), list):
        raise NoCounterpartError(f"assert-set with `{min(unknown)}`" if unknown else "assert-set")
    items = [convert_assertion(item if isinstance(item, Mapping) else {}) for item in assertion["assert"]]
    return {**combine(items, assertion.get("threshold")), **_weight(assertion)}


def combine(items: Sequence[Mapping[str, Any]], threshold: Any) -> dict[str, Any]:
    """Return a set of assertions, of which a threshold of 0 or none means that all must hold."""
    judged = next((item["type"] for item in items if item["type"] in {"judge", "similar"}), None)
    if judged:
        raise NoCounterpartError(f"{judged} among assertions that count as one")
    return {"type": "assert-set", "assert": list(items), **({"threshold": threshold} if threshold else {})}


def _convert(kind: str, value: Any, threshold: Any) -> dict[str, Any]:
    is_negated, base = kind.startswith("not-"), kind.removeprefix("not-")
    if is_negated and base in NEVER_NEGATED:
        raise NoCounterpartError(f"{kind}, which promptfoo reads as {base}")
    if base in OTHER_DISTANCES:
        raise NoCounterpartError(f"{kind}, which is not the cosine of two embeddings")
    if base == "equals":
        return _convert_equals(value, is_negated=is_negated)
    if base in {"is-json", "contains-json"}:
        return _convert_json(base, value, is_negated=is_negated)
    converted = _convert_plain(base, value, threshold) or _convert_measured(base, value, threshold)
    converted = converted or (None if is_negated else _convert_graded(base, value, threshold))
    if converted is None or (is_negated and converted["type"] in {"assert-set", "judge", "similar"}):
        raise NoCounterpartError(kind or "an assertion without `type`")
    if not is_negated:
        return converted
    if converted["type"].startswith("not-"):
        raise NoCounterpartError(kind)
    sensitive = {"ignore_case": False} if converted["type"] == "contains" else {}
    return {**converted, "type": f"not-{converted['type']}", **sensitive}


def _convert_equals(value: Any, *, is_negated: bool) -> dict[str, Any]:
    prefix = "not-" if is_negated else ""
    if not isinstance(value, Mapping | list):
        return {"type": f"{prefix}equals", "value": _text(value), "trim": False}
    compared = {"type": f"{prefix}json-path", "path": "$", "value": value}
    # An answer that is no JSON fails both ways.
    return {"type": "assert-set", "assert": [{"type": "is-json"}, compared]} if is_negated else compared


def _convert_json(kind: str, value: Any, *, is_negated: bool) -> dict[str, Any]:
    prefix = "not-" if is_negated else ""
    if value is None or value == "":
        return {"type": f"{prefix}{kind}"}
    if not isinstance(value, Mapping):
        raise NoCounterpartError(f"{kind} with a schema that is no map")
    if is_negated:
        raise NoCounterpartError(f"not-{kind} with a schema")
    if "'format':" in repr(value):
        raise NoCounterpartError(f"{kind} with `format` in its schema")
    schema = {"$schema": DRAFT, **value}
    return {"type": "json-schema" if kind == "is-json" else kind, "value": schema}


def _convert_plain(kind: str, value: Any, threshold: Any) -> dict[str, Any] | None:
    if kind in SAME:
        return {"type": kind, **({} if value is None else {"value": _text(value)})}
    if kind in LISTS:
        return {"type": kind.removeprefix("i"), "value": _split(value, kind), **LISTS[kind]}
    match kind:
        case "starts-with":
            return {"type": kind, "value": _text(value), "trim": False}
        case "regex" if isinstance(value, str) and "{{" not in value:
            return {"type": kind, "value": translate_regex(value), "trim": False}
        case "is-xml" | "contains-xml":
            return {"type": kind, **_convert_elements(kind, value)}
        case "finish-reason" if isinstance(value, str):
            return {"type": kind, "value": value}
        case "javascript" if isinstance(value, str) and threshold is None:
            return translate_javascript(value)
    return None


def _convert_measured(kind: str, value: Any, threshold: Any) -> dict[str, Any] | None:
    if kind in SCORES and (isinstance(value, str) or (kind != "rouge-n" and isinstance(value, list))):
        return {"type": kind, "value": value, "at_least": SCORES[kind] if threshold is None else threshold}
    match kind:
        case "levenshtein" if isinstance(value, str):
            return {"type": kind, "value": value, "at_most": 5 if threshold is None else threshold}
        case "cost" if threshold is not None:
            return {"type": kind, "max_usd": threshold}
        case "latency" if threshold is not None:
            return {"type": kind, "max_ms": threshold}
        case "word-count" if isinstance(value, int):
            return {"type": "length", "min": value, "max": value, "unit": "words"}
        case "word-count" if isinstance(value, Mapping) and value and set(value) <= {"min", "max"}:
            return {"type": "length", **value, "unit": "words"}
    return None


def _convert_graded(kind: str, value: Any, threshold: Any) -> dict[str, Any] | None:
    """Return what a model decides: a judge with a rubric of its own, or the likeness of embeddings."""
    if kind in {"similar", "similar:cosine"} and isinstance(value, str):
        return {"type": "similar", "to": value, "at_least": 0.75 if threshold is None else threshold}
    grade = {} if threshold is None else {"at_least": min(5, max(2, 1 + math.ceil(threshold * GRADES)))}
    if kind == "answer-relevance":
        return {"type": "judge", "rubric": RELEVANCE, **grade}
    criteria = "\n".join(map(str, value)) if isinstance(value, list) else value
    if kind in RUBRICS and isinstance(criteria, str) and criteria.strip():
        return {"type": "judge", "rubric": RUBRICS[kind].format(criteria), **grade}
    return None


def _convert_elements(kind: str, value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        value = value.get("requiredElements", ()) if value else None
    if isinstance(value, str):
        value = [item.strip() for item in value.split(",")]
    if value is None or value == []:
        return {}
    if not isinstance(value, list):
        raise NoCounterpartError(f"{kind} with other keys than `requiredElements`")
    return {"value": list(map(_text, value))}


def _split(value: Any, kind: str) -> list[str]:
    if isinstance(value, str) and kind == "contains-any":
        return [item.strip().strip('"') for item in _ITEMS.findall(value)]
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list):
        raise NoCounterpartError(f"{kind} without a list")
    return [_text(item).strip() if isinstance(value, str) else _text(item) for item in items]


def _text(value: Any) -> str:
    """Return a scalar as JavaScript writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def parse_expected_column(text: str) -> dict[str, Any] | None:
    """Return the assertion of a cell of a `__expected` column, in promptfoo's terms; None for an empty cell."""
    text = text.strip()
    if not text:
        return None
    match = re.fullmatch(
        r"(?P<no>not-)?(?P<type>[a-z-]+?)(?:\((?P<threshold>[\d.]+)\))?(?::(?P<value>.*))?", text, re.DOTALL
    )
    if match is None or match["type"] not in TYPES:
        return {"type": "equals", "value": text}
    base, value = match["type"], (match["value"] or "").strip()
    kind = (match["no"] or "") + {"fn": "javascript", "eval": "javascript", "grade": "llm-rubric"}.get(base, base)
    limit = float(match["threshold"]) if match["threshold"] else DEFAULT_THRESHOLDS.get(base)
    threshold = {} if limit is None else {"threshold": limit}
    items = [item.strip() for item in value.split(",")] if base in LISTS else value
    return {"type": kind, "value": items or None, **threshold}
