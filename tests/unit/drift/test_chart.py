"""One night beside a reference: what is compared, when an alarm is due, and when a drift is over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.drift.chart import NIGHTS_TO_CLOSE, Chart, ChartState, build_chart
from promptci.drift.night import DriftVerdict, render_marks
from promptci.drift.reference import ReferenceDocument, reference_path

CASES = [f"c{place}" for place in range(10)]
CHART = Chart(means=dict.fromkeys(CASES, 1.0), weights=dict.fromkeys(CASES, 1.0), limit=0.1, cliff=0.3)
DAY = "2026-03-02"


def marks(wrong: int) -> dict[str, float]:
    return {case: float(place >= wrong) for place, case in enumerate(CASES)}


def nights(*wrong: int, chart: Chart = CHART) -> list[tuple[str, str | None]]:
    state, results = ChartState(), []
    for place, count in enumerate(wrong, start=2):
        reading = chart.read(marks(count), state)
        assert reading is not None
        state, verdict = chart.advance(state, reading, f"2026-03-{place:02}")
        results.append((verdict.value, state.since))
    return results


def test_small_drops_add_up_and_large_ones_are_cliffs() -> None:
    assert nights(1, 1) == [("steady", None), ("drift", "2026-03-03")]
    reading = CHART.read(marks(4), ChartState())
    assert reading is not None
    assert (reading.alarm, round(reading.total, 9), round(reading.drop, 9)) == ("sum", 0.38, 0.4)


def test_a_drift_stays_open_until_enough_steady_nights() -> None:
    verdicts = nights(4, 4, *[0] * NIGHTS_TO_CLOSE, 0)
    assert [since for _, since in verdicts] == ["2026-03-02"] * 4 + [None] * 2
    assert [verdict for verdict, _ in verdicts] == ["drift"] * 2 + ["steady"] * 4


def test_a_bad_night_in_between_starts_the_count_again() -> None:
    assert nights(4, 0, 0, 4, 0, 0)[-1] == ("steady", "2026-03-02")


def test_while_learning_nothing_is_summed_up() -> None:
    learning = Chart(means=CHART.means, weights=CHART.weights, limit=None, cliff=0.35)
    assert nights(*[3] * 5, chart=learning) == [("learning", None)] * 5
    assert nights(4, chart=learning) == [("drift", "2026-03-02")]


def test_a_missing_mark_leaves_the_others_comparable() -> None:
    chart = Chart(means={"a": 1.0, "b": 0.5}, weights={"a": 1.0, "b": 1.0}, limit=1.0, cliff=1.0)
    reading = chart.read({"b": 0.5}, ChartState())
    assert reading is not None
    assert (reading.expected, reading.drop) == (0.5, 0.0)
    assert chart.read({"c": 1.0}, ChartState()) is None


def test_weights_count() -> None:
    chart = Chart(means={"a": 1.0, "b": 1.0}, weights={"a": 3.0, "b": 1.0}, limit=1.0, cliff=1.0)
    reading = chart.read({"a": 0.0, "b": 1.0}, ChartState())
    assert reading is not None
    assert reading.quality == pytest.approx(0.25)


@given(st.lists(st.integers(0, 10), max_size=30))
def test_the_sum_never_runs_away(wrong: list[int]) -> None:
    state = ChartState()
    for count in wrong:
        reading = CHART.read(marks(count), state)
        assert reading is not None
        state, verdict = CHART.advance(state, reading, DAY)
        assert 0 <= state.total <= 0.1 + 0.02 + 1e-9
        assert (verdict is DriftVerdict.DRIFT) == (reading.alarm is not None)


def reference(answers: int) -> ReferenceDocument:
    half = answers / 2
    cases = {f"c{place}": (half, half) if place < 20 else (float(answers), 0.0) for place in range(100)}
    return ReferenceDocument.model_construct(answers=answers, cases=cases, nights=(DAY,))


def test_a_smaller_budget_means_higher_limits() -> None:
    weights = dict.fromkeys(reference(20).cases, 1.0)
    alone, shared = (build_chart(reference(20), weights, budget) for budget in (1.0, 0.05))
    assert alone is not None
    assert shared is not None
    assert alone.limit is not None
    assert shared.limit is not None
    assert alone.limit < shared.limit
    assert alone.cliff < shared.cliff


def test_a_reference_that_is_not_whole_has_no_limit_of_the_sum() -> None:
    chart = build_chart(reference(10), dict.fromkeys(reference(10).cases, 1.0), 1.0)
    assert chart is not None
    assert chart.limit is None
    assert build_chart(reference(10), {}, 1.0) is None


def test_marks_are_one_sign_a_case() -> None:
    assert render_marks(["a", "b", "c", "d", "e"], {"a": 1.0, "b": 0.0, "d": 0.5, "e": 0.01}) == "10-ea"


def test_the_path_of_a_reference_stays_in_its_folder() -> None:
    assert reference_path("order-extractor") == "drift/order-extractor.reference.json"
    assert reference_path("../etc/x") == "drift/..%2Fetc%2Fx.reference.json"
