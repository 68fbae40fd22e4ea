"""Packed texts: each once, in blocks that are opened one by one, and nothing in them is anything but letters."""

import random
import re
from typing import Any

import pytest
from support import large_reports
from support.hostile_payloads import XSS

from promptci.present.escape import visible
from promptci.report.html import compressed_index
from promptci.report.html.compressed_index import MAX_BLOCK_CHARS, MAX_INLINE_CHARS, NEXT_TEXT, Packer, pack, unpack


def opened(packer: Packer) -> list[Any]:
    return [unpack(block) for block in packer.blocks]


def texts_of(packer: Packer) -> list[str]:
    return [text for texts, _ in opened(packer) for text in texts]


def records_of(packer: Packer) -> list[Any]:
    return [record for _, records in opened(packer) for record in records]


def packed(texts: list[str], max_bytes: int = 10**9) -> Packer:
    packer = Packer(max_bytes=max_bytes)
    for text in texts:
        packer.add([packer.text(text)])
    packer.close()
    return packer


def test_a_text_is_kept_once_and_then_named_by_its_number() -> None:
    first, other = "the first of the texts", "the second of the texts"
    packer = packed([first, other, first, other, first])
    assert texts_of(packer) == [first, other]
    assert records_of(packer) == [[NEXT_TEXT], [NEXT_TEXT], [0], [1], [0]]


def test_a_short_text_stands_where_it_is_used_and_none_stays_none() -> None:
    packer = Packer(max_bytes=10**9)
    assert packer.text("x" * MAX_INLINE_CHARS) == "x" * MAX_INLINE_CHARS
    assert packer.text("x" * (MAX_INLINE_CHARS + 1)) == NEXT_TEXT
    assert packer.text(None) is None


def test_numbers_count_over_all_blocks() -> None:
    texts = [f"{i} " + "x" * 4000 for i in range(300)]
    packer = packed([*texts, texts[0], texts[-1]])
    assert len(packer.blocks) > 2
    assert records_of(packer)[-2:] == [[0], [299]]
    assert packer.starts[0] == (0, 0)
    for (record, text), block in zip(packer.starts, packer.blocks, strict=True):
        result: Any = unpack(block)
        assert texts[text] == result[0][0]
        assert record == text  # one text a record here
    assert packer.records == 302


def test_only_the_texts_used_last_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of 100,000 cases would hold all of their texts beside the compressed ones."""
    monkeypatch.setattr(compressed_index, "MAX_REMEMBERED_CHARS", 100)
    first, *others = [f"the text with the number {i}" for i in range(4)]
    packer = packed([first, others[0], first, others[1], others[2], first, others[0]])
    assert records_of(packer) == [[NEXT_TEXT], [NEXT_TEXT], [0], [NEXT_TEXT], [NEXT_TEXT], [0], [NEXT_TEXT]]
    assert texts_of(packer) == [first, *others, others[0]]


def test_a_block_ends_where_it_is_large_enough() -> None:
    packer = packed([f"{i} " + "x" * 1000 for i in range(2000)])
    sizes = [sum(map(len, texts)) for texts, _ in opened(packer)]
    assert all(MAX_BLOCK_CHARS <= size < MAX_BLOCK_CHARS + 1100 for size in sizes[:-1])


def test_what_has_no_room_is_left_out_from_the_first_block_that_does_not_fit() -> None:
    chance = random.Random(1)  # noqa: S311 - not a secret
    texts = [large_reports.prose(chance, 900) for _ in range(2000)]
    whole = packed(texts)
    packer = packed(texts, max_bytes=sum(map(len, whole.blocks[:2])) + 10)
    assert packer.full
    assert packer.blocks == whole.blocks[:2]
    assert packer.records == whole.starts[2][0]
    assert not packed(texts, max_bytes=5).blocks


def test_nothing_that_is_packed_is_more_than_letters() -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9+/=]+", block) for block in packed(XSS * 3).blocks)
    assert re.fullmatch(r"[A-Za-z0-9+/=]+", pack({"</script>": ["<!--", "\u2028"]}))


@pytest.mark.parametrize("payload", XSS)
def test_what_was_packed_comes_back_with_the_invisible_spelled_out(payload: str) -> None:
    (text,) = texts_of(packed([payload + " and some more of it"]))
    assert text == visible(payload + " and some more of it")


def test_the_same_value_gives_the_same_letters() -> None:
    assert pack(["a", 1]) == pack(["a", 1])
    assert pack(["a", 1]).startswith("eNq")  # zlib at its highest level: there is no time and no name in its header


def test_the_generated_texts_are_about_as_hard_to_pack_as_prose_is() -> None:
    """English takes a third of its length, packed and in letters a half; sixty texts repeated take next to nothing."""
    chance = random.Random(2)  # noqa: S311 - not a secret
    drawn = packed([large_reports.prose(chance, 300) for _ in range(2000)])
    share = sum(map(len, drawn.blocks)) / sum(map(len, texts_of(drawn)))
    assert 0.3 < share < 0.6
