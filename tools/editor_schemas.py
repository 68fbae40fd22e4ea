"""JSON Schemas by which editors complete prompt files and goldens. promptci's own parsers say more, with lines."""

from typing import Any

from promptci.goldens.formats.containers import LIST_KEYS
from promptci.goldens.parse import CASE_KEYS, COMMENT_KEYS, MAX_ID_CHARS, MAX_WEIGHT, MIN_WEIGHT
from promptci.prompts.formats.github_parameters import RESPONSE_FORMATS
from promptci.prompts.formats.github_prompt import MAX_NAME_CHARS, PROMPT_KEYS, ROLES
from promptci.scoring.check_assertions import ALL_ASSERTIONS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PLACE = "https://raw.githubusercontent.com/promptci/promptci/main/"
"""Where editors find a schema: its `$id` is this and its path in the repository."""

TEXT = {"type": "string"}
MAP = {"type": "object"}
TOOLS = {"type": "array", "items": MAP}


def add_address(schema: dict[str, Any], path: str) -> dict[str, Any]:
    """Return a schema with the address at which it is published."""
    return {"$schema": DIALECT, "$id": PLACE + path, **{key: schema[key] for key in schema if key != "$schema"}}


def prompt_file_schema() -> dict[str, Any]:
    """Return the schema of a `.prompt.yml`."""
    properties: dict[str, Any] = {
        "name": {**TEXT, "maxLength": MAX_NAME_CHARS, "description": "Names the prompt, its goldens and its versions."},
        "description": {**TEXT, "description": "For people."},
        "model": {**TEXT, "description": "As the endpoint knows it."},
        "modelParameters": {**MAP, "description": "Such as temperature: 0, maxTokens: 200."},
        "responseFormat": {"enum": list(RESPONSE_FORMATS)},
        "jsonSchema": {"type": ["string", "object"], "description": "The schema of the answer, as a text of JSON."},
        "messages": {
            "type": "array",
            "minItems": 1,
            "items": {
                **MAP,
                "properties": {"role": {"enum": list(ROLES)}, "content": TEXT},
                "required": ["role"],
                "additionalProperties": False,
            },
        },
        "testData": {"type": "array", "items": MAP, "description": "Golden cases: variables, and expected."},
        "evaluators": {"type": "array", "items": MAP, "description": "string, llm or uses: github/…"},
        "tools": TOOLS,
        "toolChoice": {"type": ["string", "object"]},
        "promptci": {**MAP, "description": "Gate and judge of this prompt alone."},
    }
    return add_address(
        {
            "title": "GitHub prompt file",
            **MAP,
            "properties": {key: properties[key] for key in PROMPT_KEYS},
            "required": ["messages"],
            "additionalProperties": False,
        },
        "docs/schemas/prompt-file.v1.json",
    )


def goldens_schema() -> dict[str, Any]:
    """Return the schema of a golden file in JSON or YAML: a list of cases, or a map with only that list."""
    cases = {"type": "array", "items": {"$ref": "#/$defs/case"}}
    maps = [{**MAP, "properties": {key: cases}, "required": [key], "additionalProperties": False} for key in LIST_KEYS]
    return add_address(
        {
            "title": "promptci goldens",
            "oneOf": [cases, *maps],
            "$defs": {"case": _case(), "assertion": _assertion()},
        },
        "docs/schemas/goldens.v1.json",
    )


def _case() -> dict[str, Any]:
    assertion = {"$ref": "#/$defs/assertion"}
    properties: dict[str, Any] = {
        "id": {"type": ["string", "integer"], "maxLength": MAX_ID_CHARS},
        "vars": {**MAP, "description": "Values for the variables of the prompt."},
        "expected": {"description": "The right answer. Without assert and evaluators it means equals."},
        "ideal": {"description": "The same as expected."},
        "assert": {"oneOf": [{"type": "array", "minItems": 1, "items": assertion}, assertion]},
        "tags": {"oneOf": [TEXT, {"type": "array", "items": TEXT}]},
        "critical": {"type": "boolean", "description": "Blocks where this case breaks, whatever the statistics show."},
        "cluster": {"type": ["string", "integer"], "description": "Name that variants of one input share."},
        "weight": {"type": "number", "minimum": MIN_WEIGHT, "maximum": MAX_WEIGHT},
    }
    beside_vars = dict.fromkeys((*CASE_KEYS, *COMMENT_KEYS, "messages", "images"), True)
    return {
        **MAP,
        "properties": {key: properties[key] for key in CASE_KEYS},
        "if": {"required": ["vars"]},
        "then": {"properties": beside_vars, "additionalProperties": False},
    }


def _assertion() -> dict[str, Any]:
    return {
        **MAP,
        "properties": {
            "type": {"enum": list(ALL_ASSERTIONS)},
            "value": {"description": "Operand; without it, the case's expected."},
            "weight": {"type": "number", "minimum": 0, "maximum": MAX_WEIGHT},
            "name": {**TEXT, "description": "Name in the report."},
        },
        "required": ["type"],
    }
