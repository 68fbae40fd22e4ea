"""Expected texts kept as files, so that a reviewer reads the product's words in the diff.

`pytest --update-gold` accepts the present texts as right; without it a difference is shown line by line.
"""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

GOLD = Path(__file__).parents[1] / "gold"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option; the top conftest.py names this file as a plugin, so that pytest finds it in time."""
    parser.addoption("--update-gold", action="store_true", help="accept the present texts as right")


@dataclass(frozen=True, kw_only=True, slots=True)
class Gold:
    """Compares texts with the files under tests/gold."""

    update: bool

    def check(self, name: str, text: str) -> None:
        """Fail where `text` is not what the file holds; write the file where asked to."""
        path = GOLD / name
        if self.update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.exists(), f"{path} is missing: run pytest --update-gold and read what it wrote"
        expected = path.read_text(encoding="utf-8")
        different = difflib.unified_diff(expected.splitlines(), text.splitlines(), "expected", "actual", lineterm="")
        assert expected == text, f"{name} differs; run pytest --update-gold to accept:\n" + "\n".join(different)


def words_of(page: str) -> str:
    """Return a page without style, script, packed texts, icons and drawings, which have their own tests."""
    page = re.sub(r'content="default-src[^"]*"', 'content="…"', page)
    page = re.sub(r"<(style|script)>.*?</\1>", r"<\1>…</\1>", page, flags=re.DOTALL)
    page = re.sub(r"(<template [^>]*>)[^<]*", r"\1…", page)
    page = re.sub(r'<svg width="0".*?</svg>', "", page, flags=re.DOTALL)
    page = re.sub(r'<svg class="icon"[^>]*><use href="#icon-(\w+)"/></svg>', r"[\1]", page)
    page = re.sub(r"<svg viewBox.*?<desc[^>]*>(.*?)</desc>.*?</svg>", r"[drawing: \1]", page, flags=re.DOTALL)
    page = re.sub(r"(?:<details class=\"case\".*?</details>\n){4,}", _few_cases, page, flags=re.DOTALL)
    return re.sub(r"\n{2,}", "\n", page)


def _few_cases(match: re.Match[str]) -> str:
    """Keep the first three of a row of cases."""
    cases = re.split(r"(?<=</details>\n)(?=<details class=\"case\")", match[0])
    return "".join(cases[:3]) + f"[and {len(cases) - 3} more cases]\n"
