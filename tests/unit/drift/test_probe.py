"""Probes: what is counted, and what starts the goldens."""

from promptci.drift.probe import ALPHA, compare_probe, count_tokens, is_different, merge_probe

TOKENS = {"letter": {"A": 3, "B": 2}, "digit": {"7": 5}}


def test_tokens_are_counted_by_probe() -> None:
    assert count_tokens({"letter": ["B", "A", "A"], "digit": []}) == {"digit": {}, "letter": {"A": 2, "B": 1}}


def test_a_reference_adds_up_its_nights() -> None:
    probe = merge_probe(merge_probe(None, TOKENS, {"m-1"}), TOKENS, {"m-2"})
    assert probe.answers == {"digit": {"7": 10}, "letter": {"A": 6, "B": 4}}
    assert probe.models == ("m-1", "m-2")


def test_equal_tokens_start_nothing() -> None:
    reference = merge_probe(None, TOKENS, {"m-1"})
    probed = compare_probe(reference, "m", TOKENS, {"m-1"})
    assert not is_different(probed)
    assert probed.answers == 10


def test_other_tokens_or_another_model_start_the_goldens() -> None:
    reference = merge_probe(None, {"letter": {"A": 20}, "digit": {"7": 20}}, {"m-1"})
    other = {"letter": {"Z": 5}, "digit": {"3": 5}}
    assert is_different(compare_probe(reference, "m", other, {"m-1"}))
    assert is_different(compare_probe(reference, "m", {"letter": {"A": 5}}, {"m-2"}))
    assert is_different(compare_probe(None, "m", TOKENS, {"m-1"}))


def test_one_odd_token_is_chance() -> None:
    reference = merge_probe(None, {"letter": {"A": 60, "B": 20}}, set())
    probed = compare_probe(reference, "m", {"letter": {"A": 1, "B": 4}}, set())
    assert probed.p is not None
    assert probed.p > ALPHA
