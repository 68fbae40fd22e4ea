"""Texts that look alike and differ: name the first code point that does."""

import unicodedata

from promptci.wording import count_equal_chars

LOOK_ALIKE = "they look alike"
_LOOKALIKES = str.maketrans(
    "аеіорсхуктвнмАЕІОРСХУКТВНМαοιρενυκτ’‘‚“”„–—−‐‑",
    "aeiopcxyktbhmAEIOPCXYKTBHMaoipevukt'''\"\"\"-----",
)
"""Cyrillic and Greek letters that look like Latin ones, and typographic quotes and dashes."""


def explain_difference(expected: str, actual: str) -> str | None:
    """Name the first code point at which two texts differ that look the same; None where they look different."""
    if expected == actual or _skeleton(expected) != _skeleton(actual):
        return None
    position = count_equal_chars(expected, actual)
    expected_name, actual_name = (_name_code_point(text, position) for text in (expected, actual))
    return f"{LOOK_ALIKE}, but character {position + 1} should be {expected_name} and is {actual_name}"


def _skeleton(text: str) -> str:
    """Reduce a text to what a reader sees: no invisible characters, one kind of blank, quote and dash."""
    folded = unicodedata.normalize("NFKC", text)
    visible = "".join(character for character in folded if unicodedata.category(character) != "Cf")
    return " ".join(visible.translate(_LOOKALIKES).split())


def _name_code_point(text: str, position: int) -> str:
    if position >= len(text):
        return "missing"
    character = text[position]
    return f"U+{ord(character):04X} ({unicodedata.name(character, 'unnamed')})"
