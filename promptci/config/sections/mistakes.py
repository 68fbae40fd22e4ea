"""What pydantic finds wrong with a value, in a reader's words."""

from collections.abc import Callable, Sequence

from pydantic_core import ErrorDetails

ALTERNATIVE = "alternative"
"""Key of a mistake's context: a word that would be right in place of the value that was meant."""

TYPES = {
    "a valid decimal": "a number, such as 1.00",
    "a valid integer": "a whole number",
    "a valid number": "a number",
    "a valid boolean": "true or false",
    "a valid string": "a text",
    "a valid list": "a list",
    "a valid dictionary": "a map",
}
"""What pydantic calls a type, and what readers do."""
SHARES = ("max_drop", "alpha", "min_quality", "max_error_rate")
"""Keys whose value is a share from 0 to 1, for which people write percent or points."""
MAX_PERCENT = 100
NAMES_OF_SECRETS = ("api_key_env",)
"""Keys in whose place people write the secret itself, which is not repeated."""


def describe_mistake(detail: ErrorDetails) -> tuple[str, str]:
    """Return the value as it may be shown, and what is wrong with it."""
    _, is_type, expected = detail["msg"].partition("Input should be ")
    expected = next((words for name, words in TYPES.items() if expected.startswith(name)), expected)
    word = detail.get("ctx", {}).get(ALTERNATIVE)
    expected = f"{word} or {expected}" if word else expected
    message = f"it must be {expected}" if is_type else detail["msg"].removeprefix("Value error, ")
    key, value = detail["loc"][-1] if detail["loc"] else "", detail["input"]
    percent = _parse_percent(value) if key in SHARES else None
    if percent is not None:
        message = f"{message}; a share is written so: {percent:g} percent or points are {percent / MAX_PERCENT:g}"
    is_secret = key in NAMES_OF_SECRETS or (key == "base_url" and "@" in str(value))
    return "a text that is not shown" if is_secret else repr(detail["input"])[:60], message


def _parse_percent(value: object) -> float | None:
    """Return the percent or points that somebody wrote for a share, as a number or as `5%`; None for anything else."""
    text = value.strip() if isinstance(value, str) else ""
    if text.endswith("%") and text[:-1].strip().replace(".", "", 1).isdecimal():
        number = float(text[:-1])
        return number if number <= MAX_PERCENT else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if 1 < value <= MAX_PERCENT else None


def join_alternatives(
    details: Sequence[ErrorDetails], locate: Callable[[ErrorDetails], tuple[int | str, ...]]
) -> list[ErrorDetails]:
    """Return the mistakes, those about one value joined that say "it is not this word" and "nor such a number".

    `locate` returns the key that a mistake is about.
    """
    words = {
        locate(d): d["msg"].removeprefix("Input should be ").replace("False", "false")
        for d in details
        if d["type"] == "literal_error"
    }
    others = [detail for detail in details if detail["type"] != "literal_error"]
    joined = {locate(detail) for detail in others} & words.keys()
    for detail in others:
        if locate(detail) in joined:
            detail["ctx"] = {**detail.get("ctx", {}), ALTERNATIVE: words[locate(detail)]}
    return [d for d in details if d["type"] != "literal_error" or locate(d) not in joined]
