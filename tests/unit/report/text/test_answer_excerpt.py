import pytest

from promptci.report.text.cases import answer_excerpt

SENTENCE = "The parcel leaves the centre on Monday. "
LETTER = SENTENCE * 9
BEFORE, AFTER = f"{LETTER}Your order is HB-1. {LETTER}Yours, Ann", f"{LETTER}{LETTER}Yours, Bob"


def test_equal_stretches_between_differences_are_left_out_and_counted() -> None:
    before, after = answer_excerpt.clip_around_differences(BEFORE, AFTER, 800)
    assert before == (
        "(first 340 characters are equal) …e centre on Monday. Your order is HB-1. "
        "The parcel leaves the centre on Monday. … (307 equal characters) …e on Monday. Yours, Ann"
    )
    assert "HB-1" not in after
    assert after.endswith("Yours, Bob")
    assert len(after) < 200


@pytest.mark.parametrize("limit", [100, 300, 800])
@pytest.mark.parametrize(
    ("before", "after"), [(BEFORE, AFTER), (LETTER * 9, "no"), ("ご注文番号" * 200, "返信" * 500), ("a" * 4402, "b")]
)
def test_whatever_is_cut_fits_and_every_character_is_shown_or_counted(before: str, after: str, limit: int) -> None:
    shown = answer_excerpt.clip_around_differences(before, after, limit)
    gaps = answer_excerpt.find_gaps(before, after)
    for text, cut, of_text in zip((before, after), shown, gaps, strict=True):
        parts = list(answer_excerpt.cut_text(text, of_text, limit))
        assert "".join(text[part.begin : part.end] for part in parts) == text
        assert len(cut) <= limit
