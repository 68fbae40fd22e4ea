"""Text of others is shown as it is and can do nothing: in Markdown, in HTML, to people's eyes."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from promptci.present import escape

HOSTILE = [
    "@everyone",
    "fixes #1 and GH-2",
    "octo/repo#3",
    "https://evil.example",
    "www.evil.example",
    "a@b.example",
    "![i](https://evil.example/i.png)",
    "[l](javascript:alert(1))",
    "[l]: https://evil.example",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!-- promptci -->",
    "--><b>",
    "&#64;team &lt;b&gt;",
    "# heading",
    "- item",
    "1. item",
    "> quote",
    "    code",
    "```\nout\n```",
    "~~~\nout",
    "a|b\\|c",
    "</details></summary>",
    "`tick` ``two`` ```three",
    "\\`",
    "*a* _b_ ~c~ $d$",
    "***",
    "===",
    "---",
    "[^1]",
    "<https://evil.example>",
    "line\nbreak\r\nand\rmore",
]
PAYLOADS = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=60), st.text(alphabet="`|\\<>![]()*_~@#&$-=+1. a\n"))
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def nodes(markdown: str) -> set[str]:
    """The kinds of tokens that a text becomes."""
    return {token.type for top in MARKDOWN.parse(markdown) for token in (top, *(top.children or []))}


def plain(markdown: str) -> str:
    """What a reader sees of an inline text."""
    (inline,) = [token for token in MARKDOWN.parse(f"x {markdown} x") if token.type == "inline"]
    return "".join(token.content for token in inline.children or [])[2:-2]


def live(text: str) -> list[str]:
    """What GitHub would make something of in text that is not code."""
    return re.findall(r"@\w|#\d|GH-\d|https?://|www\.\w|<!--", text, flags=re.IGNORECASE)


@given(PAYLOADS)
@example("1. x")
@example("\x85- x")
def test_escaped_text_becomes_text_and_nothing_else(payload: str) -> None:
    assert nodes(f"{escape.inline(payload)}\n") <= {
        "paragraph_open",
        "paragraph_close",
        "inline",
        "text",
        "text_special",
    }


@given(PAYLOADS)
def test_escaped_text_reads_as_it_was_but_for_blanks_and_invisible_signs(payload: str) -> None:
    shown = " ".join(escape.visible(payload).split())
    assert plain(escape.inline(payload)).replace(escape.BREAK, "") == shown


@given(PAYLOADS)
def test_escaped_text_mentions_nobody_and_links_nowhere(payload: str) -> None:
    assert not live(plain(escape.inline(payload)))


@given(PAYLOADS)
def test_a_code_span_is_code_or_text(payload: str) -> None:
    kinds = nodes(f"x {escape.code(payload)} x\n")
    assert kinds <= {
        "paragraph_open",
        "paragraph_close",
        "inline",
        "text",
        "text_special",
        "code_inline",
        "em_open",
        "em_close",
    }


@given(PAYLOADS)
def test_a_table_cell_stays_one_cell(payload: str) -> None:
    for cell in (escape.code(payload), escape.inline(payload), escape.prose(payload)):
        tokens = MARKDOWN.parse(f"| a | b |\n|--|--|\n| {cell} | mine |\n")
        cells = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "td_open"]
        assert len(cells) == 2
        assert cells[1] == "mine"


@given(PAYLOADS)
def test_a_fence_holds_whatever_is_inside(payload: str) -> None:
    tokens = MARKDOWN.parse(f"before\n\n{escape.fence(payload, 1000)}\n\nafter\n")
    assert [token.content for token in tokens if token.type == "inline"] == ["before", "after"]
    (fence,) = [token for token in tokens if token.type == "fence"]
    assert fence.content.replace(escape.BREAK, "").rstrip("\n") == (escape.visible(payload) or "(empty)").rstrip("\n")


@given(PAYLOADS)
def test_prose_has_code_spans_and_nothing_else_live(payload: str) -> None:
    allowed = {
        "paragraph_open",
        "paragraph_close",
        "inline",
        "text",
        "text_special",
        "code_inline",
        "em_open",
        "em_close",
    }
    assert nodes(f"x {escape.prose(payload)}\n") <= allowed


@given(PAYLOADS)
def test_text_in_a_summary_has_no_tag_and_no_line_break(payload: str) -> None:
    shown = escape.summary_text(payload)
    assert "<" not in shown
    assert "\n" not in shown
    assert not live(shown.replace("&#", ""))


def test_backticks_in_our_sentences_become_code() -> None:
    assert escape.prose("`gate.max_drop` allows 5") == "`gate.max_drop` allows 5"
    assert escape.prose_html("`a<b` & c") == "<code>a&lt;b</code> &amp; c"


def test_nothing_looks_like_our_own_marker() -> None:
    for escaped in (escape.inline, escape.code, escape.fence, escape.prose):
        assert "<!--" not in escaped("<!-- promptci:prompts -->")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u200bb", "a\\u200bb"),
        ("a\ud800b", "a\\ud800b"),
        ("a\U000e0041b", "a\\U000e0041b"),
        ("a\r\nb\rc", "a\nb\\rc"),
        ("❤\ufe0f ✓ é 日本", "❤\ufe0f ✓ é 日本"),
    ],
)
def test_invisible_characters_show_as_escapes_and_others_stay(text: str, shown: str) -> None:
    assert escape.visible(text) == shown


def test_every_format_character_of_unicode_counts_as_invisible() -> None:
    formats = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in ("Cf", "Cs", "Zl", "Zp")]
    assert not [hex(ord(char)) for char in formats if escape.visible(char) == char]


def test_every_control_character_but_tab_and_line_feed_counts_as_invisible() -> None:
    controls = [chr(code) for code in range(0x100) if unicodedata.category(chr(code)) == "Cc"]
    assert [char for char in controls if escape.visible(char) == char] == ["\t", "\n"]


def test_a_name_stays_on_one_line() -> None:
    assert escape.one_line("a\nb\tc") == "a\\nb\\tc"


def test_a_cut_text_says_how_long_it_was() -> None:
    assert escape.clip("abcdef", 3) == "abc… (cut: 6 characters in all)"
    assert escape.clip("abc", 3) == "abc"
    assert (escape.shorten("abcdef", 3), escape.shorten("abc", 3)) == ("ab…", "abc")
