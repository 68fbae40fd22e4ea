"""Parameters and response format of a `.prompt.yml`."""

from collections.abc import Mapping
from typing import Any

from promptci.files import lines
from promptci.prompts.formats.parse_context import ParseContext

PARAMETERS = {
    "maxTokens": ("max_tokens", 1, 10_000_000),
    "maxCompletionTokens": ("max_completion_tokens", 1, 10_000_000),
    "temperature": ("temperature", 0, 2),
    "topP": ("top_p", 0, 1),
    "frequencyPenalty": ("frequency_penalty", -2, 2),
    "presencePenalty": ("presence_penalty", -2, 2),
    "seed": ("seed", -(2**63), 2**63),
    "stop": ("stop", None, None),
}
"""Key in the file, name on the wire, and bounds."""
WHOLE = {"max_tokens", "max_completion_tokens", "seed"}
FORMATS = ("text", "json_object", "json_schema")


def parse_parameters(value: Mapping[str, Any], found: ParseContext) -> dict[str, Any]:
    """Give the parameters under the names the endpoint knows; both `maxTokens` and `max_tokens` are read."""
    written = {} if value.get("modelParameters") is None else value["modelParameters"]
    if not isinstance(written, dict):
        found.add_problem(("modelParameters",), "`modelParameters` must be a map", "Write `temperature: 0` under it.")
        return {}
    by_wire = {wire: (wire, lo, hi) for wire, lo, hi in PARAMETERS.values()}
    given: dict[str, Any] = {}
    for key, setting in written.items():
        known = PARAMETERS.get(key) or by_wire.get(key)
        if known is None:
            found.notes.append(f"`modelParameters.{key}` is not known and was not sent.")
        elif setting is not None:
            wire, lo, hi = known
            if wire in given:
                found.add_problem(("modelParameters", key), f"`{wire}` is given twice, in both spellings", "Keep one.")
            if wrong := _problem(wire, setting, lo, hi):
                found.add_problem(("modelParameters", key), f"`{key}` {wrong}", "See the model's documentation.")
            given[wire] = setting
    if "max_completion_tokens" in given and given.pop("max_tokens", None) is not None:
        # Endpoints refuse both; GitHub's newer runner takes this one, too.
        found.notes.append("`maxTokens` was not sent, for there is `maxCompletionTokens`.")
    return given


def _problem(wire: str, setting: Any, lo: float | None, hi: float | None) -> str | None:
    if lo is None or hi is None:
        texts = [setting] if isinstance(setting, str) else setting
        fine = isinstance(texts, list) and 0 < len(texts) <= 4 and all(isinstance(t, str) and t for t in texts)
        return None if fine else "must be a text or a list of up to four"
    if isinstance(setting, bool) or not isinstance(setting, int | float):
        return "must be a number"
    if wire in WHOLE and not isinstance(setting, int):
        return "must be a whole number"
    return None if lo <= setting <= hi else f"must lie between {lo:g} and {hi:g}"


def parse_response_format(value: Mapping[str, Any], found: ParseContext) -> tuple[str, dict[str, Any] | None]:
    """Give the response format and, for `json_schema`, the parsed schema with its `name` and `schema`."""
    wanted = value.get("responseFormat") or "text"
    if wanted not in FORMATS:
        found.add_problem(("responseFormat",), f"there is no format `{wanted}`", f"Use one of {', '.join(FORMATS)}.")
        return "text", None
    schema = _schema(value.get("jsonSchema"), found)
    if wanted != "json_schema":
        if value.get("jsonSchema") is not None:
            found.notes.append("`jsonSchema` is used only with `responseFormat: json_schema` and was not sent.")
        return wanted, None
    if value.get("jsonSchema") is None:
        found.add_problem(("responseFormat",), "`json_schema` needs `jsonSchema`", "Add it, as a text of JSON.")
    return wanted, schema


def _schema(written: Any, found: ParseContext) -> dict[str, Any] | None:
    if written is None:
        return None
    place = ("jsonSchema",)
    if not isinstance(written, str):
        found.add_problem(
            place, "`jsonSchema` must be a text that holds JSON", "Write it as a block: `jsonSchema: |-`."
        )
        return None
    try:
        schema = lines.parse_json(written)
    except lines.JsonError as error:
        found.add_problem(place, f"`jsonSchema` is not JSON: {error}", "Mend the JSON.")
        return None
    kinds: dict[str, Any] = {"name": str, "schema": dict, "strict": bool | None}
    if not isinstance(schema, dict) or not all(isinstance(schema.get(key), kind) for key, kind in kinds.items()):
        what = "`jsonSchema` must have `name` and `schema`, and `strict` only as true or false"
        found.add_problem(place, what, 'Write {"name": "…", "schema": {…}}.')
        return None
    return schema
