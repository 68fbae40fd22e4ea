"""Figures of a decision in words."""

from dataclasses import replace

import pytest

from promptci.rollout import words
from promptci.rollout.measure import MetricResult


def measured(metric: str, control: float | None, canary: float | None, limit: float = 0.02) -> MetricResult:
    return MetricResult(
        metric=metric,
        limit=limit,
        margin=limit,
        control_mean=control,
        canary_mean=canary,
        alpha=0.01,
        promote_alpha=0.05,
    )


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (measured("quality", 0.96, 0.82), "82.0% against 96.0%"),
        (measured("errors", 0.96, 0.82), "18.0% against 4.0%"),
        (measured("cost", 0.75, 0.7), "+20%"),
        (measured("cost", 0.75, 0.8), "−20%"),
        (measured("cost", 1.0, 0.9), "some against none"),
        (measured("cost", 1.0, 1.0), "none in either arm"),
        (measured("quality", None, 0.9), "no data"),
        (measured("quality", 0.9, None), "no data"),
    ],
)
def test_both_arms_are_set_against_each_other(one: MetricResult, said: str) -> None:
    assert words.compared(one) == said


@pytest.mark.parametrize(
    ("metric", "limit", "said"),
    [
        ("errors", 0.01, "1 point"),
        ("errors", 0.025, "2.5 points"),
        ("cost", 0.25, "25%"),
        ("quality", 0.02, "2 points"),
    ],
)
def test_limits_are_said_as_they_were_set(metric: str, limit: float, said: str) -> None:
    assert words.limit(measured(metric, 1, 1, limit)) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(90 * 60, "1.5 hours"), (600, "10 minutes"), (86400, "24 hours"), (172800, "2 days"), (14 * 86400, "14 days")],
)
def test_durations_are_in_the_unit_that_people_use(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


def test_small_p_values_are_not_called_nothing() -> None:
    assert [words.p_value(p) for p in (0.0, 9.9e-7, 1e-6, 0.04, 1)] == [
        "p < 0.000001",
        "p < 0.000001",
        "p = 1e-06",
        "p = 0.04",
        "p = 1",
    ]


@pytest.mark.parametrize(("drop", "p", "bad"), [(0.02, 0.01, True), (0.019, 0.01, False), (0.02, 0.0101, False)])
def test_a_metric_is_bad_where_it_is_shown_and_by_the_limit(drop: float, p: float, bad: bool) -> None:
    one = measured("quality", 0.96, 0.96 - drop)
    assert replace(one, p_worse=p).bad is bad


@pytest.mark.parametrize(("drop", "p", "fine"), [(0.019, 0.05, True), (0.02, 0.05, False), (0.0, 0.051, False)])
def test_a_metric_is_fine_where_it_is_shown_and_within_the_limit(drop: float, p: float, fine: bool) -> None:
    one = measured("quality", 1.0, 1.0 - drop)
    assert replace(one, p_fine=p).fine is fine
