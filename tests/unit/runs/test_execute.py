import time
from decimal import Decimal
from pathlib import Path

import pytest
from fakes.provider import FakeProvider, Outcome
from fakes.questions import CENT, failing, kinds, paid, pairs, question, run

from promptci.config.run_limits import RunLimits
from promptci.providers.base import CallError, Request
from promptci.providers.cache import AnswerCache
from promptci.runs.budget import Budget
from promptci.runs.execute import MAX_EQUAL_FAILURES
from promptci.runs.model import Answer
from promptci.runs.prompt_plan import Arm

# --- answers


async def test_each_question_gets_its_answer_in_the_order_of_the_questions() -> None:
    questions = pairs(20)
    rows = await run(questions, FakeProvider(concurrency=7, latency_s=0.001))

    assert [row.key for row in rows] == [q.key for q in questions]
    assert [row.request_key for row in rows] == [q.request.key for q in questions]
    for row in rows:
        assert row.completion is not None
        assert row.completion.text == f"to {row.arm} {row.case_id}"
        assert not row.cached


async def test_no_questions_need_no_provider() -> None:
    assert await run([]) == ()


@pytest.mark.parametrize(("limit", "expected"), [(None, 4), (1, 1), (9, 9)])
async def test_so_many_are_asked_at_once_as_the_user_says_or_else_the_provider(
    limit: int | None, expected: int
) -> None:
    provider = FakeProvider(concurrency=4, latency_s=0.005)
    await run(pairs(15), provider, limits=RunLimits(concurrency=limit))

    assert provider.most_at_once == expected


async def test_equal_requests_are_asked_once_and_the_second_answer_is_marked() -> None:
    provider = FakeProvider(concurrency=8, latency_s=0.005)
    questions = [question("a", Arm.BASE, text="x"), question("a", text="x"), question("b", text="y")]
    rows = await run(questions, provider)

    assert len(provider.calls) == 2
    assert [row.cached for row in rows] == [False, True, False]
    assert rows[0].completion == rows[1].completion


async def test_replicates_of_one_request_are_asked_each() -> None:
    provider = FakeProvider(lambda _, replicate: f"answer {replicate}")
    rows = await run([question(replicate=i, text="x") for i in range(3)], provider)

    assert [row.completion and row.completion.text for row in rows] == ["answer 0", "answer 1", "answer 2"]


async def test_progress_is_told_each_answer_once() -> None:
    answers: list[Answer] = []
    rows = await run([*pairs(3), question("0", replicate=1, text="head 0")], on_answer=answers.append)

    assert sorted(map(repr, answers)) == sorted(map(repr, rows))


# --- errors


async def test_a_failed_call_is_a_row_and_the_others_go_on() -> None:
    provider = failing(lambda r: CallError("server", "broken") if "head 1" in r.messages[0]["content"] else None)
    rows = await run(pairs(3), provider)

    assert kinds(rows) == {"answered": 5, "server": 1}
    (row,) = (row for row in rows if row.error)
    assert (row.case_id, row.arm, row.completion, row.cost_usd) == ("1", Arm.HEAD, None, None)
    assert row.error is not None
    assert row.error.message == "broken"


async def test_a_failure_is_shared_by_equal_requests_too() -> None:
    provider = failing(lambda _: CallError("server", "broken"))
    rows = await run([question("a", Arm.BASE, text="x"), question("a", text="x")], provider)

    assert kinds(rows) == {"server": 2}
    assert len(provider.calls) == 1


@pytest.mark.parametrize("kind", ["auth", "quota", "connection", "bad-request", "server"])
async def test_a_fatal_failure_stops_the_asking(kind: str) -> None:
    provider = failing(lambda _: CallError(kind, "hopeless", fatal=True))
    rows = await run(pairs(50), provider)

    assert len(provider.calls) == 1
    assert kinds(rows) == {kind: 100}
    assert [row.error is not None and row.error.sent for row in rows].count(True) == 1


@pytest.mark.parametrize("kind", ["not-found", "rate-limit"])
async def test_a_model_that_cannot_be_asked_does_not_stop_questions_to_another(kind: str) -> None:
    """A change that replaces a retired model must still be testable by itself."""
    provider = failing(lambda r: CallError(kind, "gone", fatal=True) if r.model == "retired" else None)
    questions = [
        question(str(i), arm, model=model) for i in range(9) for arm, model in ((Arm.BASE, "retired"), (Arm.HEAD, "m"))
    ]
    rows = await run(questions, provider)

    assert len(provider.calls) == 1 + 9
    assert kinds(rows) == {kind: 9, "answered": 9}


async def test_a_fault_of_the_program_is_not_made_a_row() -> None:
    def broken(request: Request, _: int) -> Outcome:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await run(pairs(5), FakeProvider(broken))


# --- time


async def test_when_the_deadline_passes_the_rest_are_rows_and_what_was_answered_stays() -> None:
    provider = FakeProvider(concurrency=2, answers_before_hanging=4)
    rows = await run(pairs(50), provider, limits=RunLimits(deadline_s=2.0))

    assert kinds(rows) == {"answered": 4, "deadline": 96}
    assert provider.at_once == 0


async def test_the_deadline_counts_from_the_start_of_the_run_not_of_the_round() -> None:
    rows = await run(
        pairs(2), FakeProvider(latency_s=0.01), started_at=time.monotonic() - 3600, limits=RunLimits(deadline_s=60)
    )

    assert kinds(rows) == {"deadline": 4}
    assert "60 s are over" in (rows[0].error.message if rows[0].error else "")


async def test_a_clock_set_by_the_test_decides() -> None:
    rows = await run(pairs(1), FakeProvider(), clock=lambda: 1000.0, started_at=990.0, limits=RunLimits(deadline_s=60))

    assert kinds(rows) == {"answered": 2}


async def test_a_time_out_that_is_not_the_deadline_s_is_a_fault_of_the_program() -> None:
    def broken(request: Request, _: int) -> Outcome:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await run(pairs(1), FakeProvider(broken))


# --- cache


def cache_in(folder: Path) -> AnswerCache:
    return AnswerCache(folder, namespace="n", secret="s")


async def test_a_second_run_is_answered_from_the_cache_with_the_price_it_had(tmp_path: Path) -> None:
    questions, provider = paid(5)
    first = await run(questions, provider, cache=cache_in(tmp_path), budget=Budget(None, CENT))
    budget = Budget(Decimal(0), CENT)
    second = await run(
        questions,
        FakeProvider(lambda *_: CallError("server", "must not be asked")),
        cache=cache_in(tmp_path),
        budget=budget,
    )

    assert [row.completion for row in second] == [row.completion for row in first]
    assert all(row.cached and row.cost_usd == Decimal("0.01") for row in second)
    assert budget.spent_usd == 0


async def test_an_error_is_not_cached(tmp_path: Path) -> None:
    await run(pairs(2), failing(lambda _: CallError("server", "broken")), cache=cache_in(tmp_path))
    rows = await run(pairs(2), cache=cache_in(tmp_path))

    assert kinds(rows) == {"answered": 4}
    assert not any(row.cached for row in rows)


async def test_calls_that_fail_alike_before_any_answer_stop_the_run_with_the_reason() -> None:
    provider = FakeProvider(
        lambda _, __: CallError("bad-request", f"HTTP 400: no credit, id {len(provider.calls)}"), concurrency=1
    )
    rows = await run(pairs(30), provider)

    assert len(provider.calls) == MAX_EQUAL_FAILURES
    assert len(rows) == 60
    assert "The first 10 calls failed like this" in str(rows[-1].error and rows[-1].error.message)


async def test_after_one_answer_equal_failures_stop_nothing() -> None:
    def outcome(request: Request, _: int) -> CallError | str:
        return "fine" if len(provider.calls) == 1 else CallError("bad-request", "no", caused_by_request=True)

    provider = FakeProvider(outcome, concurrency=1)
    rows = await run(pairs(30), provider)

    assert len(provider.calls) == 60
    assert all(row.error is None or row.error.caused_by_request for row in rows)
