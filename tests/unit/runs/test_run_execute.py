import asyncio
import resource
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fakes.provider import FakeProvider, Outcome
from hypothesis import given, settings
from hypothesis import strategies as st

from promptci.errors import InputError
from promptci.providers.base import CallError, Completion, Request, Usage
from promptci.providers.cache import AnswerCache
from promptci.providers.options import ModelPrice, Options
from promptci.providers.prices import PriceList
from promptci.runs import journal
from promptci.runs.execute import Desk, answer
from promptci.runs.journal import Journal
from promptci.runs.model import Answer, Arm, Limits, Question
from promptci.runs.purse import Purse

CENT = PriceList(
    # A call of 10 tokens to read and 0 to write costs a cent; its longest answer is set by max_tokens.
    Options(kind="local", prices={"m": ModelPrice(input_usd=Decimal(1000), output_usd=Decimal(10000))})
)


def question(case_id: str = "a", arm: Arm = Arm.HEAD, replicate: int = 0, **options: Any) -> Question:
    text = options.pop("text", f"{arm} {case_id}")
    request = Request(**{"model": "m", "messages": ({"role": "user", "content": text},), **options})
    return Question(prompt="p", arm=arm, case_id=case_id, replicate=replicate, request=request)


def pairs(count: int, **options: Any) -> list[Question]:
    return [question(str(i), arm, **options) for i in range(count) for arm in (Arm.BASE, Arm.HEAD)]


async def run(
    questions: Sequence[Question], provider: FakeProvider | None = None, *, limits: Limits | None = None, **desk: Any
) -> tuple[Answer, ...]:
    return await answer(
        questions, provider or FakeProvider(), limits=limits or Limits(), desk=Desk(**{"purse": Purse(), **desk})
    )


def kinds(rows: Sequence[Answer]) -> Counter[str]:
    return Counter("answered" if row.error is None else row.error.kind for row in rows)


def failing(at: Callable[[Request], CallError | None]) -> FakeProvider:
    def outcome(request: Request, _: int) -> Outcome:
        return at(request) or "fine"

    return FakeProvider(outcome, concurrency=1)


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
    await run(pairs(15), provider, limits=Limits(concurrency=limit))

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
    told: list[Answer] = []
    rows = await run([*pairs(3), question("0", replicate=1, text="head 0")], progress=told.append)

    assert sorted(map(repr, told)) == sorted(map(repr, rows))


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


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(0, 12),
    concurrency=st.integers(1, 9),
    faults=st.dictionaries(st.integers(0, 24), st.sampled_from(["server", "auth!", "not-found!", "malformed"])),
    budget=st.none() | st.integers(0, 30).map(lambda cents: Decimal(cents) / 100),
)
async def test_whatever_fails_every_question_has_one_row_and_no_call_is_doubled(
    count: int, concurrency: int, faults: dict[int, str], budget: Decimal | None
) -> None:
    def outcome(_: Request, __: int) -> Outcome:
        kind = faults.get(len(provider.calls) - 1)
        return CallError(kind.rstrip("!"), "failed", fatal=kind.endswith("!")) if kind else cheap()

    provider = FakeProvider(outcome, concurrency=concurrency)
    questions = pairs(count, parameters={"max_tokens": 1})
    purse = Purse(budget, CENT)
    rows = await run(questions, provider, purse=purse)

    assert [row.key for row in rows] == [q.key for q in questions]
    assert all((row.completion is None) != (row.error is None) for row in rows)
    assert len(provider.calls) == len({request.key for request, _ in provider.calls})
    assert purse.spent == sum((row.cost_usd or Decimal(0) for row in rows), Decimal(0))
    assert budget is None or purse.spent <= budget


# --- money


def cheap() -> Completion:
    """Give an answer that costs one cent."""
    return Completion(text="fine", usage=Usage(input_tokens=10, output_tokens=0), model="m")


def paid(count: int) -> tuple[list[Question], FakeProvider]:
    """Give questions of which each may cost two cents and does cost one."""
    text = "x" * 24  # six tokens and four for the message
    questions = [
        question(str(i), arm, text=f"{text[:-4]}{i:03}{arm[0]}", parameters={"max_tokens": 1})
        for i in range(count)
        for arm in (Arm.BASE, Arm.HEAD)
    ]
    return questions, FakeProvider(lambda *_: cheap(), concurrency=8, latency_s=0.001)


async def test_each_answer_carries_its_price_and_the_purse_the_sum() -> None:
    purse = Purse(None, CENT)
    questions, provider = paid(3)
    rows = await run(questions, provider, purse=purse)

    assert [row.cost_usd for row in rows] == [Decimal("0.01")] * 6
    assert purse.spent == Decimal("0.06")


async def test_the_budget_is_never_passed_and_pairs_stay_whole() -> None:
    purse = Purse(Decimal("0.25"), CENT)
    questions, provider = paid(50)
    rows = await run(questions, provider, purse=purse)

    assert purse.spent <= Decimal("0.25")
    assert kinds(rows)["answered"] == len(provider.calls) >= 20
    per_case = Counter(row.case_id for row in rows if row.error is None)
    assert sum(asked == 1 for asked in per_case.values()) <= 1
    assert {row.error.kind for row in rows if row.error} == {"budget"}
    assert all("run.budget_usd" in row.error.message for row in rows if row.error)


async def test_calls_under_way_do_not_use_up_the_budget_by_what_they_could_have_cost() -> None:
    purse = Purse(Decimal("0.21"), CENT)
    questions, provider = paid(10)
    rows = await run(questions, provider, purse=purse)

    assert kinds(rows) == {"answered": 20}
    assert provider.most_at_once >= 8


async def test_a_budget_of_nothing_makes_no_call() -> None:
    questions, provider = paid(3)
    for prices in (CENT, None):
        rows = await run(questions, provider, purse=Purse(Decimal(0), prices))
        assert kinds(rows) == {"budget": 6}
    assert provider.calls == []


async def test_an_unknown_price_does_not_stop_the_run_but_is_noted() -> None:
    purse = Purse(Decimal("0.001"), PriceList(Options(kind="local")))
    rows = await run(pairs(3), purse=purse)

    assert kinds(rows) == {"answered": 6}
    assert {row.cost_usd for row in rows} == {None}
    assert purse.notes == ("the budget does not cover calls to m: their price is unknown",)


async def test_known_prices_and_no_budget_leave_nothing_to_note() -> None:
    for purse in (Purse(), Purse(Decimal(1), CENT)):
        await run(pairs(1, parameters={"max_tokens": 1}), purse=purse)
        assert purse.notes == ()


async def test_a_failed_call_gives_back_what_was_set_aside() -> None:
    purse = Purse(Decimal("0.02"), CENT)
    questions, _ = paid(10)
    rows = await run(questions, failing(lambda _: CallError("server", "broken")), purse=purse)

    assert kinds(rows) == {"server": 20}


async def test_the_judge_s_round_draws_on_the_same_purse() -> None:
    purse = Purse(Decimal("0.12"), CENT)
    questions, provider = paid(5)
    await run(questions, provider, purse=purse)
    rows = await run([question("judged", parameters={"max_tokens": 5})], provider, purse=purse)

    assert kinds(rows) == {"budget": 1}


# --- time


async def test_when_the_deadline_passes_the_rest_are_rows_and_what_was_answered_stays() -> None:
    provider = FakeProvider(concurrency=2, latency_s=0.1)
    started = time.monotonic()
    rows = await run(pairs(50), provider, limits=Limits(deadline_s=0.25))

    assert time.monotonic() - started < 2
    assert kinds(rows)["answered"] == 4
    assert kinds(rows)["deadline"] == 96
    assert provider.at_once == 0


async def test_the_deadline_counts_from_the_start_of_the_run_not_of_the_round() -> None:
    rows = await run(
        pairs(2), FakeProvider(latency_s=0.01), started=time.monotonic() - 3600, limits=Limits(deadline_s=60)
    )

    assert kinds(rows) == {"deadline": 4}
    assert "60 s were over" in (rows[0].error.message if rows[0].error else "")


async def test_a_clock_set_by_the_test_decides() -> None:
    rows = await run(pairs(1), FakeProvider(), clock=lambda: 1000.0, started=990.0, limits=Limits(deadline_s=60))

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
    first = await run(questions, provider, cache=cache_in(tmp_path), purse=Purse(None, CENT))
    purse = Purse(Decimal(0), CENT)
    second = await run(
        questions,
        FakeProvider(lambda *_: CallError("server", "must not be asked")),
        cache=cache_in(tmp_path),
        purse=purse,
    )

    assert [row.completion for row in second] == [row.completion for row in first]
    assert all(row.cached and row.cost_usd == Decimal("0.01") for row in second)
    assert purse.spent == 0


async def test_an_error_is_not_cached(tmp_path: Path) -> None:
    await run(pairs(2), failing(lambda _: CallError("server", "broken")), cache=cache_in(tmp_path))
    rows = await run(pairs(2), cache=cache_in(tmp_path))

    assert kinds(rows) == {"answered": 4}
    assert not any(row.cached for row in rows)


# --- journal and resuming


async def test_every_row_is_in_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal.open(path) as book:
        rows = await run(
            [*pairs(5), question("0", replicate=0, text="head 0")],
            failing(lambda r: CallError("server", "x") if "base 2" in r.messages[0]["content"] else None),
            journal=book,
        )

    kept = journal.read(path)[1]
    assert sorted(map(repr, kept)) == sorted(map(repr, rows))


async def test_what_was_answered_is_in_the_journal_when_the_run_is_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal.open(path) as book:
        task = asyncio.create_task(run(pairs(50), FakeProvider(concurrency=2, latency_s=0.05), journal=book))
        await asyncio.sleep(0.18)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert 4 <= len(journal.read(path)[1]) <= 8


def outcome_of(rows: Sequence[Answer]) -> list[tuple[Any, ...]]:
    return [(row.key, row.completion, row.error, row.cost_usd, row.cached) for row in rows]


@settings(max_examples=30, deadline=None)
@given(kept=st.integers(0, 12), failed=st.sets(st.integers(0, 11)))
async def test_a_resumed_run_gives_the_rows_of_an_uninterrupted_one_and_asks_nothing_twice(
    kept: int, failed: set[int]
) -> None:
    questions, provider = paid(4)
    questions += [question("same", arm, text="same", parameters={"max_tokens": 1}) for arm in (Arm.BASE, Arm.HEAD)]
    whole = await run(questions, provider, purse=Purse(None, CENT))
    earlier = [row for index, row in enumerate(whole[:kept]) if index not in failed]

    again = FakeProvider(lambda *_: cheap(), concurrency=3)
    purse = Purse(None, CENT)
    resumed = await run(questions, again, purse=purse, known={row.key: row for row in earlier})

    held = {row.request_key for row in earlier}
    assert [row.completion for row in resumed] == [row.completion for row in whole]
    assert {request.key for request, _ in again.calls}.isdisjoint(held)
    assert len(again.calls) == len({q.request.key for q in questions} - held)
    if not failed:
        assert outcome_of(resumed) == outcome_of(whole)
        assert purse.spent == Decimal("0.09")


async def test_an_answer_to_another_request_is_not_taken_over() -> None:
    (old,) = await run([question(text="old words")])
    provider = FakeProvider()
    (row,) = await run([question(text="new words")], provider, known={old.key: old})

    assert row.completion is not None
    assert row.completion.text == "to new words"


async def test_a_failed_answer_is_asked_again() -> None:
    rows = await run(pairs(1), failing(lambda _: CallError("server", "broken")))
    again = await run(pairs(1), known={row.key: row for row in rows})

    assert kinds(again) == {"answered": 2}


async def test_what_the_journal_holds_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal.open(path) as book:
        rows = await run(pairs(3), journal=book)
    before = path.read_bytes()
    with Journal.open(path) as book:
        await run(pairs(3), journal=book, known={row.key: row for row in rows})

    assert path.read_bytes() == before


async def test_a_journal_that_cannot_be_written_ends_the_run_by_its_own_error(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    provider = FakeProvider(latency_s=0.01)
    try:
        with Journal.open(path) as book:
            resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 500, old[1]))
            with pytest.raises(InputError, match="cannot be written"):
                await run(pairs(50), provider, journal=book)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, ignored)

    assert len(provider.calls) < 20
    assert provider.at_once == 0
