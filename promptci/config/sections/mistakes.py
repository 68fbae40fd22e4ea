"""What pydantic finds wrong with a value, in a reader's words."""

from pydantic_core import ErrorDetails

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
NAMES_OF_SECRETS = ("api_key_env",)
"""Keys in whose place people write the secret itself, which is not repeated."""


def describe_mistake(detail: ErrorDetails) -> tuple[str, str]:
    """Return the value as it may be shown, and what is wrong with it."""
    _, is_type, expected = detail["msg"].partition("Input should be ")
    expected = next((words for name, words in TYPES.items() if expected.startswith(name)), expected)
    message = f"it must be {expected}" if is_type else detail["msg"].removeprefix("Value error, ")
    is_secret = bool(detail["loc"]) and detail["loc"][-1] in NAMES_OF_SECRETS
    return "a text that is not shown" if is_secret else repr(detail["input"])[:60], message
