"""The estimate before a run: one figure for what is asked for sure, one for the most, and one price for each."""

from decimal import Decimal

from promptci.pipeline.plan.estimate_line import EstimateParts
from promptci.runs.estimate import RunEstimate


def estimate(calls: int, usd: str | None = "0.01") -> RunEstimate:
    amount = None if usd is None else Decimal(usd)
    return RunEstimate(
        prompts=1,
        cases=calls,
        calls=calls,
        distinct_calls=calls,
        input_tokens=1,
        output_tokens=1,
        usd=amount,
        usd_is_lower_bound=usd is None,
    )


def describe(*, is_free: bool = False, **parts: RunEstimate | None) -> str:
    known = {"judged": None, "judged_again": None, "explained": None, "again": estimate(0), **parts}
    return EstimateParts(**known).describe("while the verdict is open", is_free=is_free)  # type: ignore[arg-type]  # each is an estimate


def test_what_may_follow_is_summed_up() -> None:
    line = describe(
        asked=estimate(48),
        judged=estimate(10, "0.02"),
        again=estimate(288, "0.06"),
        judged_again=estimate(60, "0.12"),
        explained=estimate(100, "0.03"),
    )
    assert line == (
        "estimate: 58 calls, 10 of them the judge's, at most $0.0300 (cache hits not deducted);"
        " with what may follow 506 calls, at most $0.2400: 348 while the verdict is open and 100 to explain a failure"
    )


def test_an_unknown_price_is_called_so_once_and_the_embedded_model_is_free() -> None:
    each = estimate(9, None)
    assert describe(asked=each, again=each, explained=each).count("price unknown") == 1
    free = describe(asked=each, again=each, explained=each, is_free=True)
    assert free.startswith("estimate: 9 calls, free, the model runs here")
    assert "unknown" not in free


def test_a_run_that_nothing_follows_has_one_figure() -> None:
    assert describe(asked=estimate(120)) == "estimate: 120 calls, at most $0.0100 (cache hits not deducted)"
