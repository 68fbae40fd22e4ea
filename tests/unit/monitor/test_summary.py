from promptci.monitor.document import LatencyRow, ModelRow, TrafficRow
from promptci.monitor.histogram import bin_of
from promptci.monitor.summary import find_changes, summarize_latency, summarize_traffic


def model(response: str, first: str) -> ModelRow:
    return ModelRow(
        prompt="order",
        request_model="gpt",
        response_model=response,
        system_fingerprint=None,
        first=first,
        last="2026-03-09T00:00:00Z",
        requests=5,
    )


def traffic(**changed: object) -> TrafficRow:
    values: dict[str, object] = {
        "hour": "2026-03-02T10:00:00Z",
        "prompt": "order",
        "version": "v1",
        "arm": "stable",
        "request_model": "gpt",
        "response_model": None,
        "requests": 10,
        "errors": {},
        "judged": 0,
        "quality_sum": 0.0,
        "quality_squares": 0.0,
        "negative": 0,
        "positive": 0,
        "input_tokens": 0,
        "output_tokens": 0,
        "cost_usd": "0",
        "unknown_cost": 0,
    }
    return TrafficRow.model_validate({**values, **changed})


def test_a_mean_is_a_sum_divided_by_a_sum() -> None:
    both = summarize_traffic([traffic(judged=1, quality_sum=1.0), traffic(judged=9, quality_sum=0.0)])
    assert both.quality == 0.1


def test_money_is_added_exactly_and_unknown_costs_are_left_out_of_the_mean() -> None:
    rows = [traffic(cost_usd="0.1"), traffic(cost_usd="0.2", unknown_cost=5), traffic(unknown_cost=10)]
    both = summarize_traffic(rows)
    assert (str(both.cost_usd), str(both.cost_per_request)) == ("0.3", "0.02")
    assert summarize_traffic(rows[2:]).cost_per_request is None


def test_nothing_judged_has_no_quality() -> None:
    assert (summarize_traffic([traffic()]).quality, summarize_traffic([traffic()]).interval) == (None, None)


def test_percentiles_of_several_days_are_those_of_all_requests() -> None:
    days = [
        LatencyRow(day=f"2026-03-0{day}", prompt="order", version="v1", arm=None, bins={bin_of(latency): count})
        for day, latency, count in ((1, 100, 96), (2, 5000, 4))
    ]
    both = summarize_latency(days)
    assert both.p95 is not None
    assert abs(both.p95 / 100 - 1) < 0.01
    assert both.p99 is None


def test_a_model_that_begins_later_is_a_change() -> None:
    (change,) = find_changes([model("new", "2026-03-05T00:00:00Z"), model("old", "2026-03-02T00:00:00Z")])
    assert (change.before, change.after, change.at) == ("old", "new", "2026-03-05T00:00:00Z")


def test_models_that_were_there_at_the_start_are_no_change() -> None:
    assert find_changes([model("one", "2026-03-02T00:00:00Z"), model("two", "2026-03-02T00:20:00Z")]) == ()
