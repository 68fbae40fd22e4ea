"""The verdicts' order and their exit codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.verdict import ORDER, Verdict, exit_code, worst


@given(st.lists(st.sampled_from(Verdict)))
def test_the_worst_is_never_milder_than_any(verdicts: list[Verdict]) -> None:
    assert all(ORDER.index(worst(verdicts)) >= ORDER.index(verdict) for verdict in verdicts)


def test_the_worst_of_none_is_no_change() -> None:
    assert worst([]) is Verdict.NO_CHANGE


@pytest.mark.parametrize(
    ("verdict", "plain", "blocking", "advise"),
    [("no-change", 0, 0, 0), ("pass", 0, 0, 0), ("inconclusive", 0, 3, 0), ("fail", 1, 1, 0), ("error", 4, 4, 4)],
)
def test_exit_codes(verdict: str, plain: int, blocking: int, advise: int) -> None:
    it = Verdict(verdict)
    assert exit_code(it) == plain
    assert exit_code(it, inconclusive_blocks=True) == blocking
    assert exit_code(it, advise=True, inconclusive_blocks=True) == advise
