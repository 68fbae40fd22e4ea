"""Percentiles, confusion matrices and seeds."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from promptci.stats.estimates import agreement, percentiles
from promptci.stats.estimates.seed import seed_from


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=400))
@example([1.0, 2.0, 4.0, 8.0])
@example([1.0, 2.0, 4.0, 8.0, 16.0, 64.0])
def test_percentiles_are_numpy_s(values: list[float]) -> None:
    result = percentiles.percentiles(values)
    assert [result.p50, result.p95, result.p99] == pytest.approx(list(np.percentile(values, [50, 95, 99])))


def test_percentiles_of_nothing_are_unknown() -> None:
    result = percentiles.percentiles([])
    assert (result.n, result.p50, result.p95, result.p99) == (0, None, None, None)


@pytest.mark.parametrize(
    ("n", "p95", "p99"), [(58, False, False), (59, True, False), (298, True, False), (299, True, True)]
)
def test_an_upper_bound_needs_enough_values(n: int, p95: bool, p99: bool) -> None:
    result = percentiles.percentiles([1.0] * n)
    assert (result.p95_certain, result.p99_certain) == (p95, p99)


def test_a_confusion_matrix_counts_every_pair_once() -> None:
    pairs = [("a", "a"), ("a", "a"), ("a", "b"), ("b", "b"), ("b", "(none)")]
    label_confusion = agreement.label_confusion(pairs)
    assert label_confusion.labels == ("a", "b", "(none)")
    assert [row.counts for row in label_confusion.rows] == [(2, 1, 0), (0, 1, 1)]
    assert [(row.precision, row.recall) for row in label_confusion.rows] == [(1.0, 2 / 3), (0.5, 0.5)]
    assert label_confusion.rows[0].f1 == pytest.approx(0.8)


def test_a_label_never_given_has_no_precision_and_a_label_never_hit_has_f1_0() -> None:
    (only,) = agreement.label_confusion([("a", "(none)")]).rows
    assert (only.precision, only.recall, only.f1) == (None, 0.0, None)
    first, _ = agreement.label_confusion([("a", "b"), ("b", "a")]).rows
    assert first.f1 == 0.0


@given(st.text())
def test_a_seed_is_the_same_on_every_machine(text: str) -> None:
    assert seed_from(text) == seed_from(text)
    assert 0 <= seed_from(text) < 2**63


def test_known_seed() -> None:
    assert seed_from("") == 0xE3B0C44298FC1C14 >> 1
