from collections import Counter
from decimal import Decimal

from fakes.provider import FakeProvider, Outcome
from fakes.questions import CENT, cheap, failing, kinds, paid, pairs, question, run
from hypothesis import given, settings
from hypothesis import strategies as st

from promptci.providers.base import CallError, Request
from promptci.providers.options import ProviderOptions
from promptci.providers.prices import PriceList
from promptci.runs.budget import Budget


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(0, 12),
    concurrency=st.integers(1, 9),
    faults=st.dictionaries(st.integers(0, 24), st.sampled_from(["server", "auth!", "not-found!", "malformed"])),
    budget_usd=st.none() | st.integers(0, 30).map(lambda cents: Decimal(cents) / 100),
)
async def test_whatever_fails_every_question_has_one_row_and_no_call_is_doubled(
    count: int, concurrency: int, faults: dict[int, str], budget_usd: Decimal | None
) -> None:
    def outcome(_: Request, __: int) -> Outcome:
        kind = faults.get(len(provider.calls) - 1)
        return CallError(kind.rstrip("!"), "failed", fatal=kind.endswith("!")) if kind else cheap()

    provider = FakeProvider(outcome, concurrency=concurrency)
    questions = pairs(count, parameters={"max_tokens": 1})
    budget = Budget(budget_usd, CENT)
    rows = await run(questions, provider, budget=budget)

    assert [row.key for row in rows] == [q.key for q in questions]
    assert all((row.completion is None) != (row.error is None) for row in rows)
    assert len(provider.calls) == len({request.key for request, _ in provider.calls})
    assert budget.spent_usd == sum((row.cost_usd or Decimal(0) for row in rows), Decimal(0))
    assert budget_usd is None or budget.spent_usd <= budget_usd


# --- money


async def test_each_answer_carries_its_price_and_the_purse_the_sum() -> None:
    budget = Budget(None, CENT)
    questions, provider = paid(3)
    rows = await run(questions, provider, budget=budget)

    assert [row.cost_usd for row in rows] == [Decimal("0.01")] * 6
    assert budget.spent_usd == Decimal("0.06")


async def test_the_budget_is_never_passed_and_pairs_stay_whole() -> None:
    budget = Budget(Decimal("0.25"), CENT)
    questions, provider = paid(50)
    rows = await run(questions, provider, budget=budget)

    assert budget.spent_usd <= Decimal("0.25")
    assert kinds(rows)["answered"] == len(provider.calls) >= 20
    per_case = Counter(row.case_id for row in rows if row.error is None)
    assert sum(asked == 1 for asked in per_case.values()) <= 1
    assert {row.error.kind for row in rows if row.error} == {"budget"}
    assert all("run.budget_usd" in row.error.message for row in rows if row.error)


async def test_calls_under_way_do_not_use_up_the_budget_by_what_they_could_have_cost() -> None:
    budget = Budget(Decimal("0.21"), CENT)
    questions, provider = paid(10)
    rows = await run(questions, provider, budget=budget)

    assert kinds(rows) == {"answered": 20}
    assert provider.most_at_once >= 8


async def test_a_budget_of_nothing_makes_no_call() -> None:
    questions, provider = paid(3)
    for prices in (CENT, None):
        rows = await run(questions, provider, budget=Budget(Decimal(0), prices))
        assert kinds(rows) == {"budget": 6}
    assert provider.calls == []


async def test_where_nothing_may_be_called_no_price_is_missing() -> None:
    budget = Budget(Decimal(0), PriceList(ProviderOptions(kind="local")))
    await run(pairs(1), budget=budget)
    budget.can_afford([question.request for question in pairs(1)])
    assert (budget.notes, budget.known_spend) == ((), Decimal(0))


async def test_an_unknown_price_does_not_stop_the_run_but_is_noted() -> None:
    budget = Budget(Decimal("0.001"), PriceList(ProviderOptions(kind="local")))
    rows = await run(pairs(3), budget=budget)

    assert kinds(rows) == {"answered": 6}
    assert {row.cost_usd for row in rows} == {None}
    assert budget.notes == ("the budget does not cover calls to m: their price is unknown",)


async def test_known_prices_and_no_budget_leave_nothing_to_note() -> None:
    for budget in (Budget(), Budget(Decimal(1), CENT)):
        await run(pairs(1, parameters={"max_tokens": 1}), budget=budget)
        assert budget.notes == ()


async def test_a_failed_call_gives_back_what_was_set_aside() -> None:
    budget = Budget(Decimal("0.02"), CENT)
    questions, _ = paid(10)
    rows = await run(questions, failing(lambda _: CallError("server", "broken")), budget=budget)

    assert kinds(rows) == {"server": 20}


async def test_the_judge_s_round_draws_on_the_same_purse() -> None:
    budget = Budget(Decimal("0.12"), CENT)
    questions, provider = paid(5)
    await run(questions, provider, budget=budget)
    rows = await run([question("judged", parameters={"max_tokens": 5})], provider, budget=budget)

    assert kinds(rows) == {"budget": 1}
