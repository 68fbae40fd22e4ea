"""Find personal data in a text, and take it out."""

import re

PERSONAL_DATA: dict[str, re.Pattern[str]] = {
    "an e-mail address": re.compile(
        r"\b[\w.+-]{1,64}@(?!(?:[\w-]+\.)*example\b)(?!(?:[\w-]+\.){0,4}(?:test|invalid|localhost)\b)[\w-]{1,63}"
        r"(?:\.[\w-]{1,63}){1,4}\b"
    ),
    "a payment card": re.compile(r"\b(?:\d[ -]?){12,18}\d\b"),
    "an IBAN": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"),
    "a social security number": re.compile(r"\b(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}\b"),
}
REPLACEMENTS = {
    "an e-mail address": "person@mail.example",
    "a payment card": "[payment card]",
    "an IBAN": "[IBAN]",
    "a social security number": "[social security number]",
}


def find_personal_data(text: str) -> list[str]:
    """Return the kinds of personal data that a text has."""
    return [
        name
        for name, pattern in PERSONAL_DATA.items()
        if any(_is_real(name, match[0]) for match in pattern.finditer(text))
    ]


def remove_personal_data(text: str) -> str:
    """Return a text with invented data, or a placeholder, in place of personal data."""
    for name, pattern in PERSONAL_DATA.items():
        replacement = REPLACEMENTS[name]
        text = pattern.sub(lambda m, n=name, r=replacement: r if _is_real(n, m[0]) else m[0], text)  # type: ignore[misc]
    return text


def _is_real(name: str, text: str) -> bool:
    return name != "a payment card" or _is_card(text)


def _is_card(text: str) -> bool:
    """Return whether digits are the number of a payment card, by their check digit."""
    digits = [int(digit) for digit in text if digit.isdigit()]
    doubled = [digit if place % 2 == 0 else digit * 2 - 9 * (digit > 4) for place, digit in enumerate(digits[::-1])]
    return len(set(digits)) > 1 and sum(doubled) % 10 == 0
