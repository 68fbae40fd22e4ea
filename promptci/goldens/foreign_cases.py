"""Cases as exports of other tools write them: LangSmith's examples, Langfuse's items, OpenAI's evals."""

from collections.abc import Mapping
from typing import Any

LANGSMITH_KEYS = {"inputs", "outputs"}
LANGFUSE_ANSWERS = ("expectedOutput", "expected_output")
ROLES = {"system", "developer", "user", "assistant"}


def convert_case(value: Any) -> Any:
    """Return a case of another tool in promptci's terms; any other value as it is.

    Told apart by their keys: `inputs` and `outputs` (LangSmith), `input` and `expectedOutput` (Langfuse), and an
    `input` that is a list of messages (OpenAI's evals).
    """
    if not isinstance(value, Mapping) or "vars" in value:
        return value
    if isinstance(value.get("inputs"), Mapping) and isinstance(value.get("outputs"), Mapping | None):
        return _convert_langsmith(value)
    if "input" in value and any(key in value for key in LANGFUSE_ANSWERS) and "expected" not in value:
        return _convert_langfuse(value)
    if _is_conversation(value.get("input")):
        rest = {key: item for key, item in value.items() if key in {"id", "ideal", "expected", "assert", "tags"}}
        return {"vars": {"messages": value["input"]}, **rest}
    return value


def _convert_langsmith(value: Mapping[str, Any]) -> dict[str, Any]:
    outputs = value.get("outputs") or {}
    answers = list(outputs.values())
    return {**_get_id(value), "vars": dict(value["inputs"]), **_expect(answers[0] if len(answers) == 1 else outputs)}


def _convert_langfuse(value: Mapping[str, Any]) -> dict[str, Any]:
    written = value["input"]
    variables = (
        written if isinstance(written, Mapping) else {"messages" if _is_conversation(written) else "input": written}
    )
    answer = next(value[key] for key in LANGFUSE_ANSWERS if key in value)
    return {**_get_id(value), "vars": dict(variables), **_expect(answer)}


def _get_id(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": value["id"]} if isinstance(value.get("id"), str | int) else {}


def _expect(answer: Any) -> dict[str, Any]:
    return {} if answer is None or answer == {} else {"expected": answer}


def _is_conversation(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(turn, Mapping) and turn.get("role") in ROLES and "content" in turn for turn in value)
    )
