"""Escape text of others: shown as it is, but unable to format, link, mention or hide anything.

The template engine escapes HTML; this module escapes invisible characters and Markdown.
"""

import html
import re
from collections.abc import Sequence

from markupsafe import Markup

from promptci.wording import join_names

MAX_LISTED_CHARS = 80
"""Of a name in a list."""
BREAK = "\u200b"
"""Zero-width space: put after `@` and `#` it keeps GitHub from mentioning people and linking issues."""

_INVISIBLE = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and line feed
    "\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # zero-width, line separators, bidi
    "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"  # fillers that take no room
    "\ufe00-\ufe0e"  # variation selectors, which can carry hidden text; U+FE0F makes an emoji of a sign
    "\ud800-\udfff"  # lone surrogates
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"  # tags and more variation selectors
    "]"
)
_MARKDOWN = re.compile(r"[\\`*_\[\]<>|~$&]")
_STARTS_A_BLOCK = re.compile(r"^(?:(\d{1,9})([.)])|([-+#]+|=+|-+))(?=\s|$)")
_LIVE = re.compile(r"@|#(?=\w)|:(?=//)|GH(?=-\d)|www(?=\.)|<(?=!--)", re.IGNORECASE)
"""What GitHub turns into links even in escaped text: mentions, references, addresses; and the start of comments."""
_CODE = re.compile(r"`([^`\n]+)`")


class Ready(str):
    """Markdown that is escaped or our own; not escaped again."""

    __slots__ = ()


def visible(text: str) -> str:
    """Show control, bidi, zero-width and other invisible characters as escapes, the way Python spells them."""
    if text.isascii() and text.replace("\n", " ").replace("\t", " ").isprintable():
        return text  # most texts, at a fraction of the time
    return _INVISIBLE.sub(lambda match: _spell_out(match[0]), text.replace("\r\n", "\n"))


def _spell_out(char: str) -> str:
    code = ord(char)
    if char == "\r":
        return "\\r"
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def one_line(text: str) -> str:
    """Show the text on one line: line feeds and tabs as escapes too. For names, paths and ids."""
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


def clip(text: str, limit: int) -> str:
    """Cut after `limit` characters and append the length of the text."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… (cut: {len(text):,} characters in all)"


def shorten(text: str, limit: int) -> str:
    """Cut after `limit` characters, for a text that is complete elsewhere."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def inline(text: str) -> Ready:
    """Return Markdown that shows exactly this text, on one line, without links, mentions, references or HTML."""
    escaped = _MARKDOWN.sub(r"\\\g<0>", _broken(" ".join(visible(text).split())))
    return Ready(_STARTS_A_BLOCK.sub(lambda m: f"{m[1]}\\{m[2]}" if m[1] else f"\\{m[3]}", escaped))


def _broken(text: str) -> str:
    return _LIVE.sub(lambda match: match[0] + BREAK, text)


def code(text: str, limit: int = 200) -> Ready:
    """Return a code span, in which GitHub finds neither mentions nor links; safe in table cells too."""
    shown = shorten(one_line(text).strip(), limit).replace(
        "<!--", f"<{BREAK}!--"
    )  # nothing may look like our own marker
    if not shown:
        return Ready("*(empty)*")
    if "|" in shown or "\\" in shown:
        # No spelling of these two is right both in a table and outside of one; escaped text is.
        return inline(shown)
    fence_ = "`" * (_longest_run(shown) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return Ready(f"{fence_}{pad}{shown}{pad}{fence_}")


def code_list(names: Sequence[str], limit: int = 10) -> Ready:
    """Return the first names as code spans, and the number of the others."""
    return Ready(join_names([code(name, MAX_LISTED_CHARS) for name in names], limit))


def prose(text: str) -> Ready:
    """Return our own sentences, which may quote others: backticks make a code span, the rest is escaped."""
    parts = _CODE.split(clip(" ".join(text.split()), 2000))
    joined = "".join(code(part) if i % 2 else _keep_ends(part) for i, part in enumerate(parts))
    return Ready(joined)


def _keep_ends(part: str) -> str:
    before = " " if part[:1] == " " else ""
    after = " " if part[-1:] == " " and part.strip() else ""
    return f"{before}{inline(part)}{after}"


def fence(text: str | None, limit: int = 2000, language: str = "text") -> Ready:
    """Return a fenced block whose fence is longer than any run of backticks inside."""
    shown = clip(visible(text or ""), limit).replace("<!--", f"<{BREAK}!--")
    ticks = "`" * max(3, _longest_run(shown) + 1)
    return Ready(f"{ticks}{language}\n{shown or '(empty)'}\n{ticks}")


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def summary_text(text: str) -> Ready:
    """Return text for the inside of `<summary>`, which is HTML even in Markdown."""
    return Ready(html.escape(_broken(one_line(text))))


def prose_html(text: str) -> Markup:
    """Return our own sentences as HTML: backticks become `<code>`, everything is escaped."""
    parts = _CODE.split(visible(text))
    return Markup("").join(Markup("<code>{}</code>").format(part) if i % 2 else part for i, part in enumerate(parts))
