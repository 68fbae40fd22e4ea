import math
import random

from hypothesis import given
from hypothesis import strategies as st

from promptci.monitor.histogram import MIN_REQUESTS, bin_of, find_percentile, latency_of, merge_bins


def histogram(latencies: list[float]) -> dict[int, int]:
    return merge_bins({bin_of(each): 1} for each in latencies)


@given(st.floats(min_value=0.01, max_value=1e9))
def test_a_bin_is_at_most_one_percent_off(latency: float) -> None:
    assert abs(latency_of(bin_of(latency)) / latency - 1) <= 0.01 + 1e-6


@given(st.integers(0, 2**32), st.floats(0.1, 3))
def test_percentiles_of_merged_histograms_are_those_of_all_requests(seed: int, spread: float) -> None:
    generator = random.Random(seed)  # noqa: S311 - latencies
    some, others = ([generator.lognormvariate(6, spread) for _ in range(200)] for _ in range(2))
    merged = merge_bins([histogram(some), histogram(others)])
    exact = sorted(some + others)
    for share in MIN_REQUESTS:
        expected = exact[math.ceil(share * len(exact)) - 1]
        percentile = find_percentile(merged, share)
        assert percentile is not None
        assert abs(percentile / expected - 1) <= 0.01 + 1e-6


def test_too_few_requests_have_no_percentile() -> None:
    assert [find_percentile({350: n}, 0.95) is None for n in (58, 59)] == [True, False]
    assert [find_percentile({350: n}, 0.99) is None for n in (298, 299)] == [True, False]
    assert find_percentile({}, 0.5) is None


def test_no_latency_at_all_has_the_shortest_bin() -> None:
    assert bin_of(0) == bin_of(0.001)
