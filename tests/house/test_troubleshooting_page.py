"""Every message that docs/troubleshooting.md quotes is one that promptci prints."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
QUOTED = re.compile(r"^\| `(.+?)` \|", re.MULTILINE)


def texts_of(tree: ast.Module) -> Iterator[str]:
    """Yield the texts of a module; what a text fills in is `…`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@cache
def texts() -> frozenset[str]:
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "promptci").rglob("*.py"))
    return frozenset(text for tree in trees for text in texts_of(tree))


def is_printed(message: str) -> bool:
    """Return whether one text of the source has all parts of the message, in their order."""
    first, *others = message.split("…")
    pattern = re.compile(".*".join(map(re.escape, [first, *others])), re.DOTALL)
    longest = max([first, *others], key=len)
    return any(pattern.search(text) for text in texts() if longest in text)


def test_every_quoted_message_is_in_the_source() -> None:
    quoted = QUOTED.findall((ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8"))
    assert len(quoted) > 30
    assert [message for message in quoted if not is_printed(message)] == []


def test_an_invented_message_is_caught() -> None:
    assert not is_printed("… is not set, and the moon requires a key")
