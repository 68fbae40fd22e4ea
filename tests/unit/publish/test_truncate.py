"""Cut Markdown fits, and leaves nothing open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from promptci.publish import truncate

NOTICE = "_cut here_"
LINES = (
    "text 😀😀😀😀",
    "```",
    "````python",
    "~~~",
    "<details><summary>x</summary>",
    "</details>",
    "| a | b |",
    "",
    "  ```",
)
documents = st.lists(st.sampled_from(LINES), min_size=20, max_size=120).map("\n".join)


def test_a_text_that_fits_is_left_alone() -> None:
    assert truncate.truncate_markdown("ä" * 100, 200, NOTICE) == "ä" * 100


def test_line_breaks_of_two_signs_count_as_one() -> None:
    assert truncate.truncate_markdown("a\r\n" * 50, 100, NOTICE) == "a\n" * 50
    assert NOTICE in truncate.truncate_markdown("a\r\n" * 51, 100, NOTICE)


@given(documents, st.integers(200, 1500))
def test_what_is_cut_fits_and_says_so(text: str, limit: int) -> None:
    short = truncate.truncate_markdown(text, limit, NOTICE)

    assert truncate.utf8_size(short) <= limit
    assert short == text or short.rstrip().endswith(NOTICE)


@given(documents, st.integers(200, 1500))
def test_the_notice_stands_outside_every_fence_and_fold(text: str, limit: int) -> None:
    short = truncate.truncate_markdown(text, limit, NOTICE)
    tokens = MarkdownIt("commonmark").parse(short)
    html = "".join(token.content for token in tokens if token.type in {"html_block", "html_inline"})

    if short != text:
        assert any(token.type == "inline" and NOTICE in token.content for token in tokens)
        assert html.count("<details") <= html.count("</details>")


@given(documents, st.integers(200, 1500))
def test_only_whole_lines_are_kept(text: str, limit: int) -> None:
    kept = truncate.truncate_markdown(text, limit, NOTICE).removesuffix(f"\n{NOTICE}\n").splitlines()
    closers = {"</details>", "```", "````", "~~~", "", NOTICE}

    assert all(line in text.splitlines() or line in closers for line in kept)


@pytest.mark.parametrize("limit", [0, -5, 20])
def test_a_limit_without_room_leaves_the_notice_alone(limit: int) -> None:
    assert truncate.truncate_markdown("long\n" * 100, limit, NOTICE).strip() == NOTICE
