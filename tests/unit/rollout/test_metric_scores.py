"""From requests to marks, blocks and windows: who counts, and by which measure."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import canary_traffic
from support.canary_traffic import START, Ways

from promptci.requestlog.columns import columns_of, hash_texts
from promptci.requestlog.model import Observation
from promptci.rollout import measure, metric_scores
from promptci.rollout.policy import CanaryPolicy
from promptci.rollout.state import CanaryProgress
from promptci.rollout.window import Window, select_window

STANDING = CanaryProgress(stable=canary_traffic.STABLE, canary=canary_traffic.CANARY, share=5, since=START)
NOW = START + timedelta(hours=31)


def request(index: int, arm: str = "stable", **fields: object) -> Observation:
    observation = replace(canary_traffic.traffic(1)[0], id=f"r{index}", user=f"u{index}", arm=arm, error=None)
    return replace(observation, time=START + timedelta(minutes=index), **fields)  # type: ignore[arg-type]


def series(
    metric: str, requests: list[Observation], limit: float = 0.25, *, per_user: bool = True
) -> metric_scores.MetricSeries:
    metric_series = metric_scores.build_series(metric, limit, columns_of(requests), per_user=per_user)
    assert metric_series is not None
    return metric_series


def marks(result: metric_scores.MetricSeries) -> tuple[tuple[bool, float], ...]:
    return tuple(zip(result.is_canary.tolist(), result.marks.tolist(), strict=True))


def test_what_is_unknown_is_not_counted() -> None:
    given_ = [request(0, quality=None), request(1, quality=0.25), request(2, "canary", quality=1.0, error="timeout")]
    assert marks(series("quality", given_)) == ((False, 0.25),)


def test_failed_requests_and_complaints_are_bad_marks() -> None:
    given_ = [
        request(0, error="timeout", signal="negative"),
        request(1, "canary", signal="negative"),
        request(2, signal="positive"),
        request(3, signal=None),
    ]
    assert marks(series("errors", given_)) == ((False, 0.0), (True, 1.0), (False, 1.0), (False, 1.0))
    assert marks(series("signals", given_)) == ((True, 0.0), (False, 1.0), (False, 1.0))


def test_the_first_request_of_a_user_counts() -> None:
    given_ = [request(0, user="a", quality=0.1), request(1, user="a", quality=0.2), request(2, user=None, quality=0.3)]
    given_ += [request(3, user=None, quality=0.4), request(4, "canary", user="a", quality=0.5)]
    assert [mark for _, mark in marks(series("quality", given_))] == [0.1, 0.3, 0.4, 0.5]
    assert [mark for _, mark in marks(series("quality", given_, per_user=False))] == [0.1, 0.2, 0.3, 0.4, 0.5]


def test_the_first_request_that_says_something_counts() -> None:
    given_ = [request(0, user="a", quality=None), request(1, user="a", quality=0.2)]
    assert [mark for _, mark in marks(series("quality", given_))] == [0.2]


def test_latency_is_measured_by_the_control_s_first_requests_which_do_not_count() -> None:
    warm = [request(i, latency_ms=float(i + 1)) for i in range(100)]  # p95 is 95.05
    early = replace(request(0, "canary"), time=START, latency_ms=1e6)
    rest = [request(100, latency_ms=95.0), request(101, "canary", latency_ms=95.1), request(102, latency_ms=None)]
    assert marks(series("latency", [early, *warm, *rest])) == ((False, 1.0), (True, 0.0))
    assert metric_scores.build_series("latency", 0.05, columns_of([early, *warm[:99]]), per_user=True) is None


def test_cost_counts_up_to_three_times_the_control_s_median() -> None:
    warm = [request(i, cost_usd=0.01) for i in range(100)]
    rest = [request(100, cost_usd=0.015), request(101, "canary", cost_usd=0.5), request(102, "canary", cost_usd=0.0)]
    metric_series = series("cost", [*warm, *rest])
    assert [mark for _, mark in marks(metric_series)] == pytest.approx([0.5, 0.0, 1.0])
    assert metric_series.margin == pytest.approx(0.25 / 3)  # a quarter of the usual cost, which is a third of the cap


def test_where_the_control_costs_nothing_any_cost_is_a_rise() -> None:
    warm = [request(i, cost_usd=0.0) for i in range(100)]
    metric_series = series("cost", [*warm, request(100, "canary", cost_usd=0.001), request(101, cost_usd=0.0)])
    assert (marks(metric_series), metric_series.margin) == (((True, 0.0), (False, 1.0)), 0.01)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), max_size=60))
def test_blocks_hold_both_arms_and_lose_only_what_is_left_over(result: list[tuple[bool, float]]) -> None:
    arms, values = (np.array([pair[place] for pair in result], kind) for place, kind in ((0, bool), (1, float)))
    metric_series = metric_scores.MetricSeries(is_canary=arms, marks=values, time=np.zeros(len(result)), margin=0.01)
    ends = measure.find_block_ends(arms)
    cut = measure.sum_blocks(metric_series, ends)
    assert (cut.control_n >= 1).all()
    assert (cut.canary_n >= 1).all()
    # The shortest: but for one mark, one arm alone is in each.
    assert all(min(a, b) == 1 for a, b in zip(cut.control_n, cut.canary_n, strict=True))
    remaining = len(result) - int(cut.control_n.sum() + cut.canary_n.sum())
    assert remaining == 0 or len({arm for arm, _ in result[-remaining:]}) == 1
    used = result[: len(result) - remaining]
    assert cut.canary_sum.sum() == pytest.approx(sum(mark for arm, mark in used if arm))


@pytest.mark.parametrize("cut", [3000, 5000, 7321])
def test_a_later_look_sees_all_that_an_earlier_one_saw(cut: int) -> None:
    """Evidence only adds up: that is why one may look at any time."""
    requests = canary_traffic.traffic(8000, Ways(quality=0.9, cost_usd=0.003), share=25)
    before, after = (measure.measure_metrics(columns_of(part), CanaryPolicy()) for part in (requests[:cut], requests))
    for first, other in zip(before, after, strict=True):
        assert first.metric == other.metric
        assert other.p_worse <= first.p_worse
        assert other.p_within_limit <= first.p_within_limit or first.margin != other.margin


def look(*requests: Observation, standing: CanaryProgress = STANDING, **policy: float) -> Window:
    return select_window(columns_of(requests), standing, CanaryPolicy(**policy), NOW)  # type: ignore[arg-type]


def ids(window: Window) -> list[str]:
    request_ids = [f"r{index}" for index in range(100)]
    names = dict(zip(hash_texts(request_ids).tolist(), request_ids, strict=True))
    return [names[value] for value in window.requests.id.tolist()]


def test_the_window_counts_who_is_of_this_step_and_says_who_is_not() -> None:
    """FAULTS 124: future timestamps."""
    base = request(60)
    window = look(
        base,
        replace(base, id="other", version="v0"),
        replace(base, id="crossed", version=canary_traffic.CANARY),
        replace(base, id="share", share=25.0),
        replace(base, id="before", time=START - timedelta(minutes=1)),
        replace(base, id="too_recent", time=NOW - timedelta(minutes=9)),
        replace(base, id="in_future", time=NOW + timedelta(minutes=6)),
    )
    assert ids(window) == [base.id]
    excluded = (window.other_versions, window.other_shares, window.too_recent, window.in_future)
    assert excluded == (2, 1, 1, 1)


def test_without_a_logged_share_the_step_begins_after_the_lag() -> None:
    early, late = request(9, share=None), request(10, share=None)
    assert ids(look(early, late)) == [late.id]
    assert ids(look(replace(early, share=5.0), late)) == [early.id, late.id]


def test_arms_are_described() -> None:
    canary = {"version": canary_traffic.CANARY, "user": None}
    window = look(
        request(60, user="a", model="m2", output_tokens=10),
        request(61, user="a", model="m1", output_tokens=None),
        request(62, "canary", **canary, output_tokens=None, model=None),
        request(63, "canary", **canary, output_tokens=None, model=None),
    )
    assert (window.stable.requests, window.stable.users, window.stable.models) == (2, 1, ("m1", "m2"))
    assert (window.stable.output_tokens, window.stable.newest) == (10, START + timedelta(minutes=61))
    assert (window.canary.users, window.canary.models, window.canary.output_tokens) == (2, (), None)
    assert look().stable.newest is None


def test_users_in_both_arms_are_counted() -> None:
    window = look(request(60, user="a"), request(61, "canary", version=canary_traffic.CANARY, user="a"))
    assert window.users_in_both_arms == 1


def test_how_the_control_fares_is_of_the_last_hour() -> None:
    minutes = int((NOW - START).total_seconds() / 60) - 10
    old = [request(i, error="x") for i in range(60, 100)]
    new = [request(minutes - 5 - i, error="x" if i < 3 else None) for i in range(10)]
    assert look(*old, *new).control_failing == pytest.approx(0.3)
    assert look(*old).control_failing == 0.0
