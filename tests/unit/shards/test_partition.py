from collections.abc import Iterable
from decimal import Decimal

from fakes.questions import question
from hypothesis import given, settings
from hypothesis import strategies as st
from support.plans import prompt_plan

from promptci.pipeline.plan import partition as shards
from promptci.pipeline.plan.planning import PlannedRun
from promptci.pipeline.shard import Shard
from promptci.runs.model import Question
from promptci.runs.prompt_plan import Arm, Status
from promptci.scoring.prompt_run import PromptRun


def planned(questions: Iterable[Question], follow_ups: Iterable[Question] = ()) -> PlannedRun:
    plan = prompt_plan(name="p", path="p.prompt.yml", status=Status.CHANGED, base=None, head=None)
    return PlannedRun(prompts=(PromptRun(plan=plan, questions=tuple(questions), follow_ups=tuple(follow_ups)),))


PLANS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 40), st.integers(0, 2)), max_size=60).map(
    lambda rows: planned(
        questions=tuple(
            question(str(case), arm, replicate, text=f"{arm} {text}")
            for case, text, replicate in rows
            for arm in (Arm.BASE, Arm.HEAD)
        ),
        follow_ups=tuple(question(str(case), Arm.HEAD, 5, text=f"again {text}") for case, text, _ in rows[::3]),
    )
)


def parts(plan: PlannedRun, count: int) -> list[PlannedRun]:
    return [shards.select_part(plan, Shard(index=index, count=count)) for index in range(1, count + 1)]


@given(plan=PLANS, count=st.integers(1, 12))
@settings(max_examples=200)
def test_every_question_is_in_exactly_one_part_and_what_belongs_together_stays_together(
    plan: PlannedRun, count: int
) -> None:
    planned_runs = parts(plan, count)

    assert sum(len(part.questions) for part in planned_runs) == len(plan.questions)
    assert sum(len(part.follow_ups) for part in planned_runs) == len(plan.follow_ups)
    for by_case in (True, False):
        where: dict[tuple[str, str | int], set[int]] = {}
        for index, part in enumerate(planned_runs):
            for planned_question in (*part.questions, *part.follow_ups):
                key = (
                    (planned_question.prompt, planned_question.case_id)
                    if by_case
                    else (planned_question.request.key, planned_question.replicate)
                )
                where.setdefault(key, set()).add(index)
        assert all(len(result) == 1 for result in where.values())


@given(plan=PLANS, count=st.integers(1, 12))
def test_the_order_of_asking_stays(plan: PlannedRun, count: int) -> None:
    for part in parts(plan, count):
        kept = {question.key for question in part.questions}
        assert list(part.questions) == [q for q in plan.questions if q.key in kept]


def test_a_case_stays_where_it_is_when_others_come_and_go() -> None:
    def owners(cases: range) -> dict[tuple[str, str], int]:
        return shards.owners(planned(question(str(i)) for i in cases), 7)

    few, many = owners(range(20, 40)), owners(range(100))
    assert few.items() <= many.items()
    assert set(many.values()) == set(range(1, 8))


@given(plan=PLANS, count=st.integers(1, 12), cents=st.integers(0, 10_000))
def test_the_shares_of_the_money_never_add_up_to_more(plan: PlannedRun, count: int, cents: int) -> None:
    whole = Decimal(cents) / 100
    shares = [shards.budget(whole, part, plan) for part in parts(plan, count)]
    known = [share for share in shares if share is not None]
    assert len(known) == len(shares)
    if plan.questions:
        assert whole - Decimal("0.0001") < sum(known) <= whole


def test_without_a_budget_there_is_none_to_share() -> None:
    plan = planned((question(),))
    assert shards.budget(None, plan, plan) is None
