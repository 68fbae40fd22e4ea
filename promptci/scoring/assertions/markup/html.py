"""`is-html`, `contains-html`: the answer is HTML and nothing else, or has some in it.

What counts as HTML follows promptfoo: `contains-html` counts signs of it, `is-html` looks at the elements.
"""

import re
from html.parser import HTMLParser

from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import CheckOutcome, Subject

MAX_CHARS = 200_000
MIN_SIGNS = 2
"""Signs of HTML that are enough."""
_OPENING = re.compile(r"<[a-zA-Z][a-zA-Z0-9-]*(?:\s[^>]*)?>")
_CLOSING = re.compile(r"</[a-zA-Z][a-zA-Z0-9-]*\s*>")
_SIGNS: tuple[tuple[int, re.Pattern[str]], ...] = (
    (1, re.compile(r"<[a-zA-Z][a-zA-Z0-9-]*(?:\s[^>]*)?/>")),
    (1, re.compile(r"&(?:[a-zA-Z]+|#[0-9]+|#x[0-9a-fA-F]+);")),
    (2, re.compile(r"<!DOCTYPE\s+html", re.IGNORECASE)),
    (1, re.compile(r"<!--[^-]*(?:-[^-]+)*-->")),
    (1, re.compile(r"\s[a-zA-Z-]+=\s*[\"'][^\"']*[\"']")),
    (
        2,
        re.compile(
            r"<(html|head|body|div|span|p|a|img|h[1-6]|ul|ol|li|table|tr|td|th|form|input|button|script|style|link"
            r"|meta|br|hr)\b",
            re.IGNORECASE,
        ),
    ),
)
"""Patterns with how much each counts."""
ELEMENTS = frozenset(
    [
        "html",
        "head",
        "title",
        "base",
        "link",
        "meta",
        "style",
        "body",
        "article",
        "section",
        "nav",
        "aside",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "footer",
        "address",
        "p",
        "hr",
        "pre",
        "blockquote",
        "ol",
        "ul",
        "li",
        "dl",
        "dt",
        "dd",
        "figure",
        "figcaption",
        "main",
        "div",
        "a",
        "em",
        "strong",
        "small",
        "s",
        "cite",
        "q",
        "dfn",
        "abbr",
        "ruby",
        "rt",
        "rp",
        "data",
        "time",
        "code",
        "var",
        "samp",
        "kbd",
        "sub",
        "sup",
        "i",
        "b",
        "u",
        "mark",
        "bdi",
        "bdo",
        "span",
        "br",
        "wbr",
        "img",
        "iframe",
        "embed",
        "object",
        "param",
        "picture",
        "source",
        "video",
        "audio",
        "track",
        "map",
        "area",
        "svg",
        "math",
        "script",
        "noscript",
        "canvas",
        "ins",
        "del",
        "table",
        "caption",
        "colgroup",
        "col",
        "tbody",
        "thead",
        "tfoot",
        "tr",
        "td",
        "th",
        "form",
        "label",
        "input",
        "button",
        "select",
        "datalist",
        "optgroup",
        "option",
        "textarea",
        "output",
        "progress",
        "meter",
        "fieldset",
        "legend",
        "details",
        "summary",
        "dialog",
        "menu",
        "slot",
        "template",
    ]
)
"""Elements of HTML5."""
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)


class HtmlAssertion:
    """One of the two assertions."""

    OPTIONS: frozenset[str] = frozenset()

    def __init__(self, *, is_part: bool) -> None:
        """Keep whether a part of the answer is enough."""
        self._is_part = is_part

    def validate(self, assertion: Assertion, case: Case) -> str | None:
        """Refuse a value, which would not be looked at."""
        return None if assertion.value is None else "it takes no `value`"

    def check(self, assertion: Assertion, subject: Subject) -> CheckOutcome:
        """Look for HTML."""
        text = subject.text
        if len(text) > MAX_CHARS:
            return CheckOutcome(passed=None, reason=f"the answer has more than {MAX_CHARS:,} characters")
        passed = contains_html(text) if self._is_part else is_html(text.strip())
        verb = "contain" if self._is_part else "be"
        return base.text_outcome(passed=passed, requirement=f"should {verb} HTML", subject=subject)


def contains_html(text: str) -> bool:
    """Return whether a text has enough signs of HTML."""
    signs = bool(_OPENING.search(text)) + bool(_CLOSING.search(text))
    return signs + sum(count for count, pattern in _SIGNS if pattern.search(text)) >= MIN_SIGNS


def is_html(text: str) -> bool:
    """Return whether a text has an element of HTML, and, unless it writes a body, no text outside of elements."""
    if not text or text.lower().startswith("<?xml"):
        return False
    parser = _ElementParser()
    parser.feed(text)
    parser.close()
    has_stray_text = parser.has_stray_text and "<body" not in text.lower()
    return parser.has_element and not has_stray_text


class _ElementParser(HTMLParser):
    """Finds out whether there are elements of HTML, and text outside of them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.has_element = False
        self.has_stray_text = False
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.has_element |= tag in ELEMENTS or "-" in tag
        if tag not in _VOID and tag not in {"html", "body", "head"}:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Treat `<b/>` as HTML does: the slash changes nothing."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            del self._open[len(self._open) - 1 - self._open[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        self.has_stray_text |= not self._open and bool(data.strip())


IS_HTML = HtmlAssertion(is_part=False)
CONTAINS_HTML = HtmlAssertion(is_part=True)
