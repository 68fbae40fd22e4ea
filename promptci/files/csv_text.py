"""The delimiter of a CSV file, which spreadsheets choose by the user's country."""

import re

_QUOTED = re.compile(r'"[^"]*"?')


def guess_delimiter(text: str) -> str:
    """Return the delimiter of the header row: a comma, a semicolon or a tab."""
    header = _QUOTED.sub("", text.lstrip()).split("\n", 1)[0]
    return max(",;\t", key=header.count)
