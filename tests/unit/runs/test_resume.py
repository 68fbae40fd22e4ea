import asyncio
import resource
import signal
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fakes.provider import FakeProvider
from fakes.questions import CENT, cheap, failing, kinds, paid, pairs, question, run
from hypothesis import given, settings
from hypothesis import strategies as st

from promptci.errors import InputError
from promptci.providers.base import CallError
from promptci.runs import journal
from promptci.runs.budget import Budget
from promptci.runs.journal import Journal
from promptci.runs.model import Answer
from promptci.runs.prompt_plan import Arm

# --- journal and resuming


async def test_every_row_is_in_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal.open(path) as book:
        rows = await run(
            [*pairs(5), question("0", replicate=0, text="head 0")],
            failing(lambda r: CallError("server", "x") if "base 2" in r.messages[0]["content"] else None),
            journal=book,
        )

    kept = journal.load_journal(path)[1]
    assert sorted(map(repr, kept)) == sorted(map(repr, rows))


async def test_what_was_answered_is_in_the_journal_when_the_run_is_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal.open(path) as book:
        provider = FakeProvider(concurrency=2, answers_before_hanging=6)
        task = asyncio.create_task(run(pairs(50), provider, journal=book))
        await provider.hangs.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert len(journal.load_journal(path)[1]) == 6


def outcome_of(rows: Sequence[Answer]) -> list[tuple[Any, ...]]:
    return [(row.key, row.completion, row.error, row.cost_usd, row.cached) for row in rows]


@settings(max_examples=30, deadline=None)
@given(kept=st.integers(0, 12), failed=st.sets(st.integers(0, 11)))
async def test_a_resumed_run_gives_the_rows_of_an_uninterrupted_one_and_asks_nothing_twice(
    kept: int, failed: set[int]
) -> None:
    questions, provider = paid(4)
    questions += [question("same", arm, text="same", parameters={"max_tokens": 1}) for arm in (Arm.BASE, Arm.HEAD)]
    whole = await run(questions, provider, budget=Budget(None, CENT))
    earlier = [row for index, row in enumerate(whole[:kept]) if index not in failed]

    again = FakeProvider(lambda *_: cheap(), concurrency=3)
    budget = Budget(None, CENT)
    resumed = await run(questions, again, budget=budget, resumed={row.key: row for row in earlier})

    held = {row.request_key for row in earlier}
    assert [row.completion for row in resumed] == [row.completion for row in whole]
    assert {request.key for request, _ in again.calls}.isdisjoint(held)
    assert len(again.calls) == len({q.request.key for q in questions} - held)
    if not failed:
        assert outcome_of(resumed) == outcome_of(whole)
        assert budget.spent_usd == Decimal("0.09")


async def test_an_answer_to_another_request_is_not_taken_over() -> None:
    (old,) = await run([question(text="old words")])
    provider = FakeProvider()
    (row,) = await run([question(text="new words")], provider, resumed={old.key: old})

    assert row.completion is not None
    assert row.completion.text == "to new words"


async def test_a_failed_answer_is_asked_again() -> None:
    rows = await run(pairs(1), failing(lambda _: CallError("server", "broken")))
    again = await run(pairs(1), resumed={row.key: row for row in rows})

    assert kinds(again) == {"answered": 2}


async def test_what_the_journal_holds_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal.open(path) as book:
        rows = await run(pairs(3), journal=book)
    before = path.read_bytes()
    with Journal.open(path) as book:
        await run(pairs(3), journal=book, resumed={row.key: row for row in rows})

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
