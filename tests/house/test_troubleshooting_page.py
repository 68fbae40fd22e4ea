"""Every message that docs/troubleshooting.md quotes is one that promptci prints."""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORD = re.compile(r"\w+")
QUOTED = re.compile(r"^\| `(.+?)` \|", re.MULTILINE)


def texts_of(tree: ast.Module) -> Iterator[str]:
    """Yield the texts of a module; what a text fills in is `…`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@cache
def sources() -> Mapping[str, frozenset[str]]:
    """Return each module's source, with its words."""
    read = (path.read_text(encoding="utf-8") for path in (ROOT / "promptci").rglob("*.py"))
    return {source: frozenset(WORD.findall(source)) for source in read}


@cache
def texts(source: str) -> frozenset[str]:
    return frozenset(texts_of(ast.parse(source)))


def is_printed(message: str) -> bool:
    """Return whether one text of the source has all parts of the message, in their order."""
    first, *others = message.split("…")
    pattern = re.compile(".*".join(map(re.escape, [first, *others])), re.DOTALL)
    longest = max([first, *others], key=len)
    # Only modules with all words of the message are parsed. What is filled in may cut the first and last of a part.
    words = {word for part in (first, *others) for word in WORD.findall(part)[1:-1]}
    candidates = [source for source, source_words in sources().items() if words <= source_words]
    return any(pattern.search(text) for source in candidates for text in texts(source) if longest in text)


def test_every_quoted_message_is_in_the_source() -> None:
    quoted = QUOTED.findall((ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8"))
    assert len(quoted) > 30
    assert [message for message in quoted if not is_printed(message)] == []


def test_an_invented_message_is_caught() -> None:
    assert not is_printed("… is not set, and the moon requires a key")
