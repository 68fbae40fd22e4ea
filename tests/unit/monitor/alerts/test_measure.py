"""Each kind of rule on each metric: the value, the limit, and where nothing can be said."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.monitor_traffic import NOW, latency, traffic

from promptci.config.alert_options import DAY_S, HOUR_S, AlertRule
from promptci.monitor.alerts.measure import Measurement, PromptRows, measure
from promptci.monitor.alerts.windows import Share, difference_interval, mean_interval
from promptci.monitor.document import LatencyRow, TrafficRow

WEEK_H = 7 * 24


def rule(kind: str, metric: str, limit: float, **options: object) -> AlertRule:
    return AlertRule(name="r", kind=kind, metric=metric, limit=limit, **options)  # type: ignore[arg-type]


def look(a_rule: AlertRule, rows: list[TrafficRow], latencies: list[LatencyRow] | None = None) -> Measurement:
    return measure(a_rule, PromptRows(rows, latencies or []), NOW)


@pytest.mark.parametrize(
    ("metric", "limit", "row", "value"),
    [
        ("quality", 0.9, traffic(0, good=164), 0.82),
        ("errors", 0.02, traffic(0, errors=6), 0.03),
        ("negative", 0.02, traffic(0, negative=10), 0.05),
        ("cost", 0.004, traffic(0, cents=100), 0.005),
        ("cost", 0.004, traffic(0, cents=100, unknown_cost=100), 0.01),
    ],
)
def test_a_threshold_fires_beyond_its_limit_only(metric: str, limit: float, row: TrafficRow, value: float) -> None:
    seen = look(rule("threshold", metric, limit), [row])
    assert seen.firing is True
    assert seen.facts.value == pytest.approx(value)
    at_limit = look(rule("threshold", metric, value), [row])
    assert at_limit.firing is False


def test_a_threshold_looks_at_the_hours_that_its_time_touches() -> None:
    bad = {"requests": 100, "good": 0}
    assert look(rule("threshold", "quality", 0.9), [traffic(0), traffic(1, **bad)]).firing is True
    assert look(rule("threshold", "quality", 0.9), [traffic(0), traffic(2, **bad)]).firing is False
    assert look(rule("threshold", "quality", 0.9, over_s=2 * HOUR_S), [traffic(0), traffic(2, **bad)]).firing is True


def test_versions_arms_and_models_of_an_hour_are_added() -> None:
    rows = [traffic(0, requests=100, good=100), traffic(0, requests=300, good=100)]
    assert look(rule("threshold", "quality", 0.9), rows).facts.value == 0.5


def test_too_few_requests_say_nothing() -> None:
    for kind, metric in (("threshold", "quality"), ("burn-rate", "errors"), ("last-week", "quality")):
        rows = [traffic(hour, requests=5, good=0, errors=5) for hour in (*range(7), *range(WEEK_H, WEEK_H + 7))]
        assert look(rule(kind, metric, 0.5, min_requests=500), rows).firing is None
        assert look(rule(kind, metric, 0.5), []).firing is None


def test_p95_of_the_days_that_its_time_touches() -> None:
    rows = [latency(0, 2400), latency(1, 2400), latency(2, 100, requests=90_000)]
    seen = look(rule("threshold", "p95", 2000, over_s=DAY_S), [], rows)
    assert seen.firing is True
    assert seen.facts.value == pytest.approx(2400, rel=0.01)
    assert (
        look(rule("threshold", "p95", 2000, over_s=DAY_S, min_requests=1), [], [latency(0, 2400, requests=58)]).firing
        is None
    )


def test_silence_counts_from_the_end_of_the_last_hour_with_requests() -> None:
    quiet = rule("threshold", "silence", 2 * HOUR_S)
    assert look(quiet, [traffic(0, requests=0), traffic(3)]).facts.value == pytest.approx(2 * HOUR_S + 20 * 60)
    assert look(quiet, [traffic(3)]).firing is True
    assert look(quiet, [traffic(2)]).firing is False
    assert look(quiet, [traffic(0)]).facts.value == 0
    assert look(quiet, []).firing is True


def test_a_burn_rate_needs_both_windows() -> None:
    burning = rule("burn-rate", "errors", 6)
    bad, good = {"errors": 40}, {"errors": 0}
    assert look(burning, [traffic(hour, **bad) for hour in range(7)]).firing is True
    only_now = [traffic(hour, **(bad if hour < 1 else good)) for hour in range(7)]
    assert look(burning, only_now).firing is False
    over_now = [traffic(hour, **(good if hour < 2 else bad)) for hour in range(7)]
    assert look(burning, over_now).firing is False


def test_a_burn_rate_of_quality_counts_what_is_missing_to_the_best_score() -> None:
    seen = look(rule("burn-rate", "quality", 6, objective=0.95), [traffic(hour, good=120) for hour in range(7)])
    assert seen.facts.value == pytest.approx(0.4 / 0.05)


@pytest.mark.parametrize(
    ("metric", "limit", "then", "now", "change"),
    [
        ("quality", 0.05, {"good": 192}, {"good": 164}, -0.14),
        ("errors", 0.01, {"errors": 2}, {"errors": 10}, 0.04),
        ("negative", 0.01, {"negative": 2}, {"negative": 10}, 0.04),
        ("cost", 0.2, {"cents": 100}, {"cents": 130}, 0.3),
    ],
)
def test_a_change_against_last_week(
    metric: str, limit: float, then: dict[str, int], now: dict[str, int], change: float
) -> None:
    weekly = rule("last-week", metric, limit, over_s=6 * HOUR_S)
    before = [traffic(hour, **then) for hour in range(WEEK_H + 1, WEEK_H + 7)]
    seen = look(weekly, [*before, *(traffic(hour, **now) for hour in range(1, 7))])
    assert seen.firing is True
    assert seen.facts.value == pytest.approx(change)
    same = look(weekly, [*before, *(traffic(hour, **then) for hour in range(1, 7))])
    assert same.firing is False
    assert same.facts.value == pytest.approx(0)
    better = look(
        weekly,
        [*(traffic(h, **now) for h in range(WEEK_H + 1, WEEK_H + 7)), *(traffic(h, **then) for h in range(1, 7))],
    )
    assert better.firing is False
    assert look(weekly, [traffic(hour, **now) for hour in range(1, 7)]).firing is None


def test_a_change_that_may_be_chance_does_not_fire() -> None:
    weekly = rule("last-week", "quality", 0.05, over_s=HOUR_S)
    few = [traffic(WEEK_H + 1, requests=60, good=57), traffic(1, requests=60, good=53)]
    many = [traffic(WEEK_H + 1, requests=6000, good=5700), traffic(1, requests=6000, good=5300)]
    assert look(weekly, few).firing is False
    assert look(weekly, many).firing is True


def test_the_hour_that_is_not_over_is_not_compared() -> None:
    weekly = rule("last-week", "quality", 0.05, over_s=HOUR_S)
    rows = [traffic(WEEK_H + 1), traffic(1), traffic(0, good=0), traffic(WEEK_H)]
    assert look(weekly, rows).firing is False


def test_p95_is_compared_by_whole_days() -> None:
    weekly = rule("last-week", "p95", 0.2, over_s=DAY_S)
    assert look(weekly, [], [latency(8, 1000), latency(1, 1300), latency(0, 1)]).firing is True
    assert look(weekly, [], [latency(8, 1000), latency(1, 1000), latency(0, 9000)]).firing is False
    assert look(weekly, [], [latency(8, 1000), latency(1, 1300, requests=60)]).firing is None


def test_a_cost_that_jumps_in_one_hour_only_is_no_change() -> None:
    rows = [traffic(hour + WEEK_H) for hour in range(1, 7)]
    rows += [traffic(hour, cents=1000 if hour == 3 else 100) for hour in range(1, 7)]
    assert look(rule("last-week", "cost", 0.2, over_s=6 * HOUR_S), rows).firing is False


SHARES = st.integers(1, 500).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


@given(SHARES, SHARES)
def test_an_interval_of_a_difference_mirrors_and_is_never_empty(now: tuple[int, int], before: tuple[int, int]) -> None:
    share, base = (Share(n, total, total) for n, total in (now, before))
    low, high = difference_interval(share, base)
    assert -1 <= low < high <= 1
    assert difference_interval(base, share) == pytest.approx((-high, -low))
    least, most = mean_interval(share)
    assert 0 <= least < most <= 1


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(50, 400)), min_size=1, max_size=30), st.floats(0.01, 0.99))
def test_a_lower_limit_never_fires_where_a_higher_one_does_not(hours: list[tuple[int, int]], limit: float) -> None:
    rows = [traffic(ago, requests=count, good=count // 2) for ago, count in hours]
    low, high = (look(rule("threshold", "quality", each), rows).firing for each in (limit / 2, limit))
    assert not (low is True and high is not True)


def test_a_time_between_two_hours_is_the_same_week_after_week() -> None:
    rows = [traffic(WEEK_H + 1), traffic(1, good=100)]
    weekly = rule("last-week", "quality", 0.05, over_s=HOUR_S)
    assert measure(weekly, PromptRows(rows, []), NOW + timedelta(minutes=30)).firing is True
