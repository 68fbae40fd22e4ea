"""An Answer as one JSON object and back."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from promptci.providers import completion_codec
from promptci.runs.model import Answer, AnswerError, Arm


def to_json(answer: Answer) -> dict[str, Any]:
    """Give the answer as JSON values, unknown ones left out; money as text, so that no digit is lost."""
    value: dict[str, Any] = {
        "prompt": answer.prompt,
        "arm": answer.arm.value,
        "case": answer.case_id,
        "replicate": answer.replicate,
        "request": answer.request_key,
    }
    if answer.completion is not None:
        value["completion"] = completion_codec.to_json(answer.completion)
    if answer.error is not None:
        value["error"] = {"kind": answer.error.kind, "message": answer.error.message}
    if answer.cost_usd is not None:
        value["cost_usd"] = str(answer.cost_usd)
    if answer.cached:
        value["cached"] = True
    return value


def from_json(value: object) -> Answer:
    """Give the answer that `to_json` wrote; raises ValueError saying what is wrong, never KeyError or TypeError."""
    if not isinstance(value, Mapping):
        raise ValueError("an answer is an object")  # noqa: TRY004 - one kind of error for bad content
    if ("completion" in value) == ("error" in value):
        raise ValueError("an answer has either a `completion` or an `error`")
    replicate, cached = value.get("replicate"), value.get("cached", False)
    if type(replicate) is not int or replicate < 0:
        raise ValueError("`replicate` is not a number from 0")
    if not isinstance(cached, bool):
        raise ValueError("`cached` is neither true nor false")  # noqa: TRY004 - one kind of error for bad content
    return Answer(
        prompt=_text(value, "prompt"),
        arm=_arm(value),
        case_id=_text(value, "case"),
        replicate=replicate,
        request_key=_text(value, "request"),
        completion=completion_codec.from_json(value["completion"]) if "completion" in value else None,
        error=_error(value["error"]) if "error" in value else None,
        cost_usd=_money(value["cost_usd"]) if "cost_usd" in value else None,
        cached=cached,
    )


def _text(value: Mapping[str, Any], key: str) -> str:
    text = value.get(key)
    if not isinstance(text, str):
        raise ValueError(f"`{key}` is missing or not a text")  # noqa: TRY004 - one kind of error for bad content
    return text


def _arm(value: Mapping[str, Any]) -> Arm:
    try:
        return Arm(_text(value, "arm"))
    except ValueError as error:
        raise ValueError("`arm` is neither base nor head") from error


def _error(value: object) -> AnswerError:
    if not isinstance(value, Mapping):
        raise ValueError("`error` is not an object")  # noqa: TRY004 - one kind of error for bad content
    return AnswerError(kind=_text(value, "kind"), message=_text(value, "message"))


def _money(value: object) -> Decimal:
    try:
        amount = Decimal(value) if isinstance(value, str) else Decimal("NaN")
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise ValueError("`cost_usd` is not an amount")
    return amount
