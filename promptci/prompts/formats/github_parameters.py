"""Parameters, tools and response format of a `.prompt.yml`: everything that is sent in addition to the messages."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from promptci.files import lines
from promptci.prompts.formats.parse_context import KeyPath, ParseContext, find_misspelt

BOUNDS: dict[str, tuple[float, float]] = {
    "max_tokens": (1, 10_000_000),
    "max_completion_tokens": (1, 10_000_000),
    "temperature": (0, 2),
    "top_p": (0, 1),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
    "seed": (-(2**63), 2**63),
}
"""Bounds of numeric parameters, by their name in the request."""
INTEGERS = {"max_tokens", "max_completion_tokens", "seed"}
KNOWN_PARAMETERS = (
    *BOUNDS,
    *("stop", "top_k", "min_p", "top_a", "min_tokens", "repetition_penalty", "logit_bias", "logprobs", "top_logprobs"),
    *("reasoning_effort", "reasoning", "verbosity", "thinking", "parallel_tool_calls", "tools", "tool_choice"),
    *("service_tier", "user", "metadata", "store", "prediction", "modalities", "response_format"),
)
"""Parameters whose misspellings are recognized. Any other name is sent as well: endpoints have their own."""
UNSENDABLE = {
    "stream": "Answers are read whole.",
    "stream_options": "Answers are read whole.",
    "n": "Set `run.repeats` in promptci.yml to ask several times.",
    "messages": "Write `messages` at the top of the file.",
    "model": "Write `model` at the top of the file.",
}
"""Parameters that would change what promptci itself sends or expects, and what to do."""
RESPONSE_FORMATS = ("text", "json_object", "json_schema")
MAX_STOPS = 4


def parse_parameters(value: Mapping[str, Any], context: ParseContext) -> dict[str, Any]:
    """Return the parameters under their names in the request; `maxTokens` and `max_tokens` are the same."""
    written = value.get("modelParameters")
    if not isinstance(written, dict | None):
        context.add_problem(("modelParameters",), "`modelParameters` must be a map", "Write `temperature: 0` under it.")
        return {}
    parameters: dict[str, Any] = {}
    for key, setting in (written or {}).items():
        add_parameter(parameters, key, setting, ("modelParameters", key), context)
    for key in ("tools", "toolChoice"):
        add_parameter(parameters, key, value.get(key), (key,), context)
    if "max_completion_tokens" in parameters and parameters.pop("max_tokens", None) is not None:
        # Endpoints refuse both; GitHub's newer runner takes this one, too.
        context.notes.append("`maxTokens` is not sent, because `maxCompletionTokens` is set.")
    parameters.pop("response_format", None)  # see parse_response_format
    return parameters


def add_parameter(parameters: dict[str, Any], key: str, setting: Any, place: KeyPath, context: ParseContext) -> None:
    """Add a parameter under its name in the request, or a problem at its place."""
    if setting is None or setting == []:
        return  # as GitHub's runner does; an endpoint would refuse an empty list
    mistake = _find_mistake(parameters, key, setting)
    if mistake is None:
        parameters[to_wire_name(key)] = setting
    else:
        context.add_problem(place, *mistake)


def parse_default_parameters(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters under their names in the request; raise ValueError for one that cannot be sent."""
    parameters: dict[str, Any] = {}
    for key, setting in settings.items():
        mistake = _find_mistake(parameters, key, setting)
        if key == "model":
            mistake = ("`model` is not a parameter", "Set `provider.model`.")
        if mistake is not None:
            raise ValueError(" ".join((f"{mistake[0]}.", mistake[1])))
        parameters[to_wire_name(key)] = setting
    return parameters


def _find_mistake(parameters: Mapping[str, Any], key: str, setting: Any) -> tuple[str, str] | None:
    """Return what is wrong with a parameter, and what to do."""
    name = to_wire_name(key)
    if name in UNSENDABLE:
        return f"`{key}` cannot be set by a prompt file", UNSENDABLE[name]
    if name not in KNOWN_PARAMETERS and (close := find_misspelt(name, KNOWN_PARAMETERS)):
        spelt = to_camel_case(close) if key != key.lower() and "_" not in key else close
        return f"unknown parameter `{key}`", f"Did you mean `{spelt}`?"
    if name in parameters:
        return f"`{name}` is set twice, in both spellings", "Keep one."
    message = _find_problem(name, setting)
    return None if message is None else (f"`{key}` {message}", "See the model's documentation.")


def to_wire_name(key: str) -> str:
    """Return a parameter's name in the request: `maxCompletionTokens` becomes `max_completion_tokens`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()


def to_camel_case(name: str) -> str:
    """Return a parameter's name in GitHub's spelling: `max_completion_tokens` becomes `maxCompletionTokens`."""
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def _find_problem(name: str, setting: Any) -> str | None:
    if name == "stop":
        texts = [setting] if isinstance(setting, str) else setting
        is_list = isinstance(texts, list) and len(texts) <= MAX_STOPS
        return None if is_list and all(isinstance(t, str) and t for t in texts) else "must be a text or up to four"
    if name == "tools":
        is_list = isinstance(setting, list) and all(isinstance(tool, dict) for tool in setting)
        return None if is_list else "must be a list of maps, such as `- type: function`"
    if name not in BOUNDS:
        return None
    if isinstance(setting, bool) or not isinstance(setting, int | float) or not math.isfinite(setting):
        return "must be a number"
    if name in INTEGERS and not isinstance(setting, int):
        return "must be a whole number"
    low, high = BOUNDS[name]
    return None if low <= setting <= high else f"must be between {low:g} and {high:g}"


def parse_response_format(value: Mapping[str, Any], context: ParseContext) -> tuple[str, dict[str, Any] | None]:
    """Return the response format and, for `json_schema`, the parsed schema with its `name` and `schema`.

    The request's own spelling, `modelParameters: {response_format: {type: …}}`, is read too.
    """
    nested = _nested_response_format(value, context)
    kind = value.get("responseFormat") or (nested or {}).get("type") or "text"
    if value.get("responseFormat") and nested is not None:
        context.add_problem(("responseFormat",), "the response format is set twice", "Keep `responseFormat`.")
    if kind not in RESPONSE_FORMATS:
        hint = f"Use one of {', '.join(RESPONSE_FORMATS)}."
        context.add_problem(("responseFormat",), f"unknown response format `{kind}`", hint)
        return "text", None
    written = value.get("jsonSchema")
    schema = _parse_schema(written, context)
    if written is None and nested is not None and nested.get("json_schema") is not None:
        written = nested["json_schema"]
        schema = _check_schema(written, ("modelParameters", "response_format"), context)
    if kind != "json_schema":
        if value.get("jsonSchema") is not None:
            context.notes.append("`jsonSchema` is not sent: it needs `responseFormat: json_schema`.")
        return kind, None
    if written is None:
        context.add_problem(("responseFormat",), "`json_schema` needs `jsonSchema`", "Add it, as a text of JSON.")
    return kind, schema


def _nested_response_format(value: Mapping[str, Any], context: ParseContext) -> dict[str, Any] | None:
    parameters = value.get("modelParameters")
    if not isinstance(parameters, dict):
        return None
    for key, setting in parameters.items():
        if to_wire_name(key) == "response_format" and setting is not None:
            if isinstance(setting, dict) and isinstance(setting.get("type"), str):
                return setting
            message, hint = f"`{key}` must be a map with `type`", "Write `responseFormat: json_object` instead."
            context.add_problem(("modelParameters", key), message, hint)
    return None


def _parse_schema(written: Any, context: ParseContext) -> dict[str, Any] | None:
    if written is None:
        return None
    place = ("jsonSchema",)
    if not isinstance(written, str):
        hint = "Write it as a block: `jsonSchema: |-`."
        context.add_problem(place, "`jsonSchema` must be a text that holds JSON", hint)
        return None
    try:
        schema = lines.parse_json(written)
    except lines.JsonError as error:
        context.add_problem(place, f"`jsonSchema` is not JSON: {error}", "Fix the JSON.")
        return None
    return _check_schema(schema, place, context)


def _check_schema(schema: Any, place: KeyPath, context: ParseContext) -> dict[str, Any] | None:
    types: dict[str, Any] = {"name": str, "schema": dict, "strict": bool | None}
    if not isinstance(schema, dict) or not all(isinstance(schema.get(key), kind) for key, kind in types.items()):
        message = "`jsonSchema` must have `name` and `schema`; `strict`, where given, is true or false"
        context.add_problem(place, message, f"Write {json.dumps({'name': '…', 'schema': {}}, ensure_ascii=False)}.")
        return None
    return schema
