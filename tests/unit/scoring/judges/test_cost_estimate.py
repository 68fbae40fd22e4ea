"""What judges will be asked, estimated from the plan."""

from collections.abc import Sequence

from promptci.goldens.model import Assertion, Case
from promptci.providers.base import Request
from promptci.runs.model import Question
from promptci.runs.prompt_plan import Arm
from promptci.scoring.judges import cost_estimate

LLM = Assertion(
    type="llm", value={"model": "j", "prompt": "Is it good? {{completion}}", "choices": [{"choice": "y", "score": 1}]}
)


def requests(*assertions: Assertion, model: str | None, rubric: str | None) -> Sequence[Request]:
    case = Case(id="a", path="g.jsonl", vars={"q": "hello?"}, assertions=assertions)
    request = Request(model="m", messages=(), parameters={"max_tokens": 50})
    questions = tuple(
        Question(prompt="p", arm=arm, case_id="a", replicate=r, request=request) for r in (0, 1) for arm in Arm
    )
    return cost_estimate.judge_requests({"a": case}, questions, model=model, rubric=rubric)


def test_each_answer_is_marked_by_each_judge_and_is_as_long_as_the_prompt_allows() -> None:
    result = requests(LLM, Assertion(type="judge"), Assertion(type="equals", value="x"), model="r", rubric="Be kind.")
    assert [request.model for request in result] == ["r", "r"] * 4
    assert len({request.key for request in result}) == 8
    assert all(len(request.messages[0]["content"]) > 200 for request in result if request.model == "j")


def test_judges_that_are_not_set_or_only_inform_are_not_counted() -> None:
    assert requests(Assertion(type="judge"), model=None, rubric=None) == []
    assert requests(Assertion(type="judge", weight=0), model="r", rubric="Be kind.") == []
