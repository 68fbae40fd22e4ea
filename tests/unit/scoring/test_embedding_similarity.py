"""`similar`: the cosine decides, what is not known is unscored, and what needs no model asks none."""

import math
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from fakes.openai_server import bag_of_words
from hypothesis import given
from hypothesis import strategies as st
from support.assertion_cases import case
from support.fake_judges import answered

from promptci.goldens.model import Case
from promptci.providers.base import Completion, Request
from promptci.runs.model import Answer, AnswerError
from promptci.runs.prompt_plan import Arm
from promptci.scoring import check_assertions, embedding_similarity, score
from promptci.scoring.judges.judge import JudgeConfig
from promptci.scoring.model import ScoredCase

WANTED = "your parcel comes on tuesday"


@dataclass
class FakeModel:
    """Returns the vectors it was set for a text, else bags of words; keeps what it was asked."""

    vectors: dict[str, Any] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)

    async def ask(self, request: Request, attempt: int) -> Answer:
        """Answer, or fail where told so by an error in a vector's place."""
        self.asked.append(request)
        text = request.messages[0]["content"]
        reply = self.vectors.get(text, bag_of_words(text))
        if isinstance(reply, AnswerError):
            return answered(request, attempt, error=reply)
        return answered(request, attempt, completion=Completion(text=str(reply), model="embed-1"))


async def marked(text: str, model: FakeModel | None, given_case: Case | None = None, **config: Any) -> ScoredCase:
    given_case = given_case or case("similar", to=WANTED)
    assert check_assertions.find_problems([given_case]) == []
    answer = Answer(
        prompt="p", arm=Arm.HEAD, case_id="c", replicate=0, request_key="k", completion=Completion(text=text)
    )
    result = None if model is None else JudgeConfig(ask=model.ask, **{"embedding_model": "embed-1", **config})
    (scored,) = await score.score_answers([answer], {"c": given_case}, result)
    return scored


def reason(scored: ScoredCase) -> str:
    return scored.results[0].reason


async def test_what_is_near_enough_passes_and_what_is_not_fails_with_the_similarity() -> None:
    near, far = await marked("your parcel comes on monday", FakeModel()), await marked("I like bananas", FakeModel())

    assert (near.passed, near.score, reason(near)) == (True, 1.0, "similarity 0.80, at least 0.80 wanted")
    assert (far.passed, far.score) == (False, 0.0)
    assert reason(far) == f"similarity 0.00, at least 0.80 wanted: `{WANTED}`"


async def test_the_threshold_and_the_model_are_the_assertion_s_own_before_the_default() -> None:
    model = FakeModel()
    strict = case("similar", to=WANTED, at_least=0.85, model="embed-9")
    scored_case = await marked("your parcel comes on monday", model, strict)

    assert (scored_case.passed, scored_case.error) == (False, None)
    assert "at least 0.85 wanted" in reason(scored_case)
    assert {request.model for request in model.asked} == {"embed-9"}


async def test_without_a_text_of_its_own_the_expected_one_is_compared_with_its_variables_filled() -> None:
    model = FakeModel()
    await marked("hello", model, case("similar", expected=42))
    await marked("hello", model, case("similar", to="Dear {{customer}}"))

    assert [request.body for request in model.asked] == [
        {"model": "embed-1", "input": text} for text in ("hello", "42", "hello", "Dear Ann")
    ]


@pytest.mark.parametrize("text", [WANTED, f" {WANTED}\n"])
async def test_equal_texts_pass_without_a_call(text: str) -> None:
    model = FakeModel()
    scored_case = await marked(text, model)

    assert (scored_case.passed, model.asked, scored_case.results[0].cost_usd) == (True, [], Decimal(0))
    assert (await marked(text, None)).passed is True


async def test_an_empty_answer_fails_without_a_call() -> None:
    model = FakeModel()
    scored_case = await marked(" \n", model)

    assert (scored_case.passed, model.asked) == (False, [])
    assert reason(scored_case).startswith("the answer is empty")


@pytest.mark.parametrize(
    ("vector", "cause"),
    [
        (AnswerError(kind="server", message="HTTP 500"), "the embedding's call failed: HTTP 500"),
        ([0.0] * 64, "an embedding is zero in all dimensions"),
        ([1.0] * 63, "the embeddings have 63 and 64 dimensions"),
        ([], "embed-1 gave no vector"),
        ("a text", "embed-1 gave no vector"),
        ({"a": 1}, "embed-1 gave no vector"),
        ('[1.0, "2"]', "embed-1 gave no vector"),
        ("[NaN]", "embed-1 gave no vector"),
        ("[1.0, 2", "embed-1 gave no vector"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_what_is_not_known_is_missing_data_and_no_failure(vector: Any, cause: str) -> None:
    scored_case = await marked("hello", FakeModel({"hello": vector}))

    assert (scored_case.passed, scored_case.score) == (None, None)
    assert cause in (scored_case.error or "")


async def test_without_a_model_or_a_desk_it_is_missing_data() -> None:
    for result in (await marked("hello", None), await marked("hello", FakeModel(), embedding_model=None)):
        assert "no embedding model" in (result.error or "")


async def test_both_calls_are_paid_and_an_unknown_price_stays_unknown() -> None:
    paid = await marked("hello", FakeModel())
    failed = await marked("hello", FakeModel({"hello": AnswerError(kind="server", message="HTTP 500")}))

    assert (paid.results[0].cost_usd, failed.results[0].cost_usd) == (Decimal("0.002"), None)


@pytest.mark.parametrize(
    ("result", "least", "message"),
    [
        (0.8349, 0.8, "similarity 0.83, at least 0.80 wanted"),
        (0.7999, 0.8, "similarity 0.7999, at least 0.80 wanted: `b`"),
        (0.80001, 0.8, "similarity 0.80, at least 0.80 wanted"),
        (0.8249, 0.825, "similarity 0.82, at least 0.825 wanted: `b`"),
        (0.8251, 0.825, "similarity 0.83, at least 0.825 wanted"),
        (-0.5, 0.8, "similarity -0.50, at least 0.80 wanted: `b`"),
    ],
)
async def test_the_similarity_is_never_shown_on_the_wrong_side_of_the_limit(
    result: float, least: float, message: str
) -> None:
    vectors = {"a": [1.0, 0.0], "b": [result, math.sqrt(1 - result * result)]}
    assert reason(await marked("a", FakeModel(vectors), case("similar", to="b", at_least=least))) == message


def test_a_missing_model_is_found_with_its_line() -> None:
    cases = [case("similar", to="x"), case("similar", to="x", model="m"), case("equals", "x")]
    (problem,) = embedding_similarity.find_missing_models(cases, None)

    assert str(problem).startswith("g.jsonl:3: case `c`, assertion `similar`: no embedding model is set")
    assert embedding_similarity.find_missing_models(cases, "embed-1") == []


def test_it_is_no_graded_mark() -> None:
    assert not case("similar", to="x").is_graded


FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32)
VECTORS = st.lists(st.tuples(FLOATS, FLOATS), min_size=1, max_size=8)


@given(VECTORS, st.sampled_from([1e-300, 1e-9, 1.0, 3.0, 1e250]))
def test_the_cosine_is_between_minus_1_and_1_whatever_the_size_and_the_order(
    pairs: list[tuple[float, float]], size: float
) -> None:
    first, other = ([float(number) for number in side] for side in zip(*pairs, strict=True))
    result = embedding_similarity.cosine_similarity(first, other)

    assert result == embedding_similarity.cosine_similarity(other, first)
    if result is None:
        assert not any(first) or not any(other)
        return
    assert -1 <= result <= 1
    assert embedding_similarity.cosine_similarity(first, first) == pytest.approx(1)
    assert embedding_similarity.cosine_similarity(first, [-number for number in first]) == pytest.approx(-1)
    scaled = [number * size for number in other]
    if all(math.isfinite(n) for n in scaled) and all(
        abs(n) > 1e-290 or not o for n, o in zip(scaled, other, strict=True)
    ):
        assert embedding_similarity.cosine_similarity(first, scaled) == pytest.approx(result, abs=1e-9)
