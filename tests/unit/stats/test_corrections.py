"""Holm and Tarone against statsmodels and by hand."""

import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.stats.significance.corrections import holm, tarone_holm

rates = st.floats(1e-6, 1)


@pytest.fixture(scope="module")
def multipletests() -> Iterator[Callable[..., Any]]:
    """Statsmodels' corrections, which collect garbage in each call: all that is there by now is left out of that."""
    from statsmodels.stats import multitest

    gc.freeze()
    yield multitest.multipletests
    gc.unfreeze()


@given(st.lists(st.just(0.0) | rates, min_size=1, max_size=20))
def test_where_every_test_could_be_significant_it_is_holm_s(
    multipletests: Callable[..., Any], pvalues: list[float]
) -> None:
    oracle = multipletests(pvalues, method="holm")[1]
    assert holm(pvalues) == pytest.approx(list(oracle))
    assert tarone_holm(pvalues, [1e-9] * len(pvalues), 0.05) == pytest.approx(list(oracle))


def test_prompts_too_small_to_show_anything_cost_the_others_nothing() -> None:
    pvalues = [0.02, *[0.4] * 8]
    assert tarone_holm(pvalues, [1e-6, *[0.25] * 8], 0.05) == [0.02, *[1.0] * 8]
    assert holm(pvalues)[0] == pytest.approx(0.18)


def test_what_could_be_significant_alone_but_not_among_others() -> None:
    """Three tests that could give 0.02: at 0.05/2 all of them could, at 0.05/3 none. So k = 3, and the first counts."""
    assert tarone_holm([0.01, 0.02, 0.02, 0.02], [1e-6, 0.02, 0.02, 0.02], 0.05) == pytest.approx([0.03, 1, 1, 1])


def test_missing_tests_stay_missing() -> None:
    assert tarone_holm([None, 0.01], [1.0, 0.001], 0.05) == [None, 0.01]
    assert tarone_holm([], [], 0.05) == []


@given(st.lists(st.tuples(rates, st.floats(0, 1)), max_size=8))
def test_never_less_strict_than_each_test_alone(rows: list[tuple[float, float]]) -> None:
    pvalues = [p for p, _ in rows]
    adjusted = tarone_holm(pvalues, [p * part for p, part in rows], 0.05)
    assert all(after is not None and after >= before for after, before in zip(adjusted, pvalues, strict=True))
