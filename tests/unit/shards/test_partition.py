from decimal import Decimal

from fakes.questions import question
from hypothesis import given, settings
from hypothesis import strategies as st

from promptci.runs import partition as shards
from promptci.runs.model import Arm, Plan
from promptci.runs.partition import Shard

PLANS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 40), st.integers(0, 2)), max_size=60).map(
    lambda rows: Plan(
        questions=tuple(
            question(str(case), arm, replicate, text=f"{arm} {text}")
            for case, text, replicate in rows
            for arm in (Arm.BASE, Arm.HEAD)
        ),
        further=tuple(question(str(case), Arm.HEAD, 5, text=f"again {text}") for case, text, _ in rows[::3]),
    )
)


def parts(plan: Plan, count: int) -> list[Plan]:
    return [Shard(index=index, count=count).part(plan) for index in range(1, count + 1)]


@given(plan=PLANS, count=st.integers(1, 12))
@settings(max_examples=200)
def test_every_question_is_in_exactly_one_part_and_what_belongs_together_stays_together(plan: Plan, count: int) -> None:
    made = parts(plan, count)

    assert sum(len(part.questions) for part in made) == len(plan.questions)
    assert sum(len(part.further) for part in made) == len(plan.further)
    for by_case in (True, False):
        where: dict[tuple[str, str | int], set[int]] = {}
        for index, part in enumerate(made):
            for one in (*part.questions, *part.further):
                what = (one.prompt, one.case_id) if by_case else (one.request.key, one.replicate)
                where.setdefault(what, set()).add(index)
        assert all(len(found) == 1 for found in where.values())


@given(plan=PLANS, count=st.integers(1, 12))
def test_the_order_of_asking_stays(plan: Plan, count: int) -> None:
    for part in parts(plan, count):
        kept = {question.key for question in part.questions}
        assert list(part.questions) == [q for q in plan.questions if q.key in kept]


def test_a_case_stays_where_it_is_when_others_come_and_go() -> None:
    def owners(cases: range) -> dict[tuple[str, str], int]:
        return shards.owners(Plan(questions=tuple(question(str(i)) for i in cases)), 7)

    few, many = owners(range(20, 40)), owners(range(100))
    assert few.items() <= many.items()
    assert set(many.values()) == set(range(1, 8))


@given(plan=PLANS, count=st.integers(1, 12), cents=st.integers(0, 10_000))
def test_the_shares_of_the_money_never_add_up_to_more(plan: Plan, count: int, cents: int) -> None:
    whole = Decimal(cents) / 100
    shares = [shards.budget(whole, part, plan) for part in parts(plan, count)]
    known = [share for share in shares if share is not None]
    assert len(known) == len(shares)
    if plan.questions:
        assert whole - Decimal("0.0001") < sum(known) <= whole


def test_without_a_budget_there_is_none_to_share() -> None:
    plan = Plan(questions=(question(),))
    assert shards.budget(None, plan, plan) is None
