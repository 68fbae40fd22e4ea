"""What is recorded of a judge: who it is, what it was asked with, what it cost, and why it could not be heard."""

from decimal import Decimal

from support.fake_judges import EVALUATOR, JUDGE, LLM, FakeJudge, answered, marked

from promptci.files import canonical
from promptci.goldens.model import Assertion, Case
from promptci.providers.base import Request
from promptci.runs.model import Answer
from promptci.scoring.assertions.base import Subject
from promptci.scoring.judges import judge
from promptci.scoring.judges.judge import JudgeConfig, JudgeReply
from promptci.scoring.judges.reply_parser import ParsedReply
from promptci.scoring.model import AssertionResult, JudgeIdentity

PARAMETERS = {"temperature": 0, "max_tokens": 512}


def case(*assertions: Assertion) -> Case:
    return Case(id="c", vars={"input": "hi"}, assertions=assertions, path="g")


def subject(*assertions: Assertion) -> Subject:
    golden_case = case(*assertions)
    answer = Answer(prompt="p", arm="head", case_id="c", replicate=0, request_key="k")  # type: ignore[arg-type]
    return Subject(text="Hello", case=golden_case, answer=answer)


def reading(text: str) -> ParsedReply:
    return ParsedReply(score=1.0 if text == "yes" else None, summary=f"said {text}")


def test_the_places_where_a_judge_has_a_say() -> None:
    several = case(
        Assertion(type="equals", value="x"), LLM, Assertion(type="judge", weight=0), Assertion(type="judge", weight=0.5)
    )
    assert judge.judged_positions(several) == (1, 3)


def test_who_a_judge_is() -> None:
    evaluator = {key: value for key, value in EVALUATOR.items() if key != "model"}
    assert judge.identify_judge(LLM, model="m", rubric="r") == JudgeIdentity(
        model="m",
        fingerprint=canonical.digest(["llm", evaluator]),
        parameters=(("temperature", 0), ("max_tokens", 512)),
    )
    strict = Assertion(type="judge", options={"at_least": 5})
    assert judge.identify_judge(strict, model="m", rubric="r") == JudgeIdentity(
        model="m",
        fingerprint=canonical.digest(["judge", {"rubric": "r", "at_least": 5}]),
        parameters=(("temperature", 0), ("max_tokens", 512)),
    )
    assert (
        judge.identify_judge(JUDGE, model="m", rubric=None)
        is judge.identify_judge(JUDGE, model=None, rubric="r")
        is None
    )


def test_what_a_judge_is_asked_first() -> None:
    first = judge.build_request(LLM, subject(LLM), model=None, rubric=None)
    assert first is not None
    assert (first.model, first.parameters) == ("judge-model", PARAMETERS)
    graded = judge.build_request(JUDGE, subject(JUDGE), model="m", rubric="Be kind.")
    assert graded is not None
    assert (graded.model, graded.parameters) == ("m", PARAMETERS)
    assert judge.build_request(JUDGE, subject(JUDGE), model="m", rubric=None) is None
    assert judge.build_request(JUDGE, subject(JUDGE), model=None, rubric="Be kind.") is None


async def test_a_mark_is_whole() -> None:
    scored = await marked(FakeJudge(["yes"]))
    assert scored.results == (
        AssertionResult(
            type="llm",
            name="helpful",
            passed=True,
            score=1.0,
            reason="chose `yes`",
            cost_usd=Decimal("0.001"),
            judge=judge.identify_judge(LLM, model="m", rubric="Be kind."),
        ),
    )
    (graded,) = (await marked(FakeJudge(['{"reason": "kind", "score": 2}']), JUDGE)).results
    assert graded == AssertionResult(
        type="judge",
        name="judge",
        passed=False,
        score=0.25,
        reason="grade 2 of 5: `kind`",
        cost_usd=Decimal("0.001"),
        judge=judge.identify_judge(JUDGE, model="m", rubric="Be kind."),
    )


async def test_without_a_judge_a_mark_is_unscored_and_free() -> None:
    (none,) = (await marked(None)).results
    assert none == AssertionResult(
        type="llm", name="helpful", passed=None, score=None, reason="unscored: no judge", cost_usd=Decimal(0)
    )
    (unset,) = (await marked(FakeJudge(["yes"]), JUDGE, rubric=None)).results
    message = "unscored: `judge.model` and `judge.rubric` are not both set in promptci.yml"
    assert unset == AssertionResult(
        type="judge", name="judge", passed=None, score=None, reason=message, cost_usd=Decimal(0)
    )


class Recording(FakeJudge):
    """Also keeps which attempt each question was."""

    async def ask(self, request: Request, attempt: int) -> Answer:
        self.attempts = [*getattr(self, "attempts", []), attempt]
        return await super().ask(request, attempt)


async def heard(result: FakeJudge) -> JudgeReply:
    return await judge.ask_judge(JudgeConfig(ask=result.ask), Request(model="m", messages=()), reading)


async def test_what_was_heard_and_what_it_cost() -> None:
    once, twice = Recording(["yes"]), Recording(["hm", "yes"])
    assert await heard(once) == JudgeReply(score=1.0, summary="said yes", cost_usd=Decimal("0.001"))
    assert await heard(twice) == JudgeReply(score=1.0, summary="said yes", cost_usd=Decimal("0.002"))
    assert (once.attempts, twice.attempts) == ([0], [0, 1])
    assert [request.parameters for request in twice.asked] == [PARAMETERS] * 2
    never = await heard(FakeJudge(["hm", "ah"]))
    message = "the judge's answer could not be read, twice: said ah"
    assert never == JudgeReply(score=None, summary=message, cost_usd=Decimal("0.002"))


async def test_a_call_that_failed_has_no_known_price() -> None:
    assert await heard(FakeJudge([None])) == JudgeReply(
        score=None, summary="the judge's call failed: HTTP 500", cost_usd=None
    )
    later = await heard(FakeJudge(["hm", None]))
    assert later == JudgeReply(score=None, summary="the judge's call failed: HTTP 500", cost_usd=None)


async def test_an_unknown_price_stays_unknown() -> None:
    class Free(FakeJudge):
        async def ask(self, request: Request, attempt: int) -> Answer:
            result = await super().ask(request, attempt)
            return answered(request, attempt, completion=result.completion) if attempt else _without_price(result)

    result = await heard(Free(["hm", "yes"]))
    assert (result.score, result.cost_usd) == (1.0, None)


def _without_price(result: Answer) -> Answer:
    return Answer(
        prompt=result.prompt,
        arm=result.arm,
        case_id=result.case_id,
        replicate=result.replicate,
        request_key=result.request_key,
        completion=result.completion,
    )


async def test_a_cut_answer_is_asked_for_once_more_with_twice_the_room() -> None:
    cut = FakeJudge(["yes", "yes"], finishes=["length", "stop"])
    assert (await heard(cut)).score == 1.0
    assert [request.parameters["max_tokens"] for request in cut.asked] == [512, 1024]
    for_ever = await heard(FakeJudge(["yes"], finishes=["length"]))
    assert for_ever.summary == "the judge's answer could not be read, twice: it was cut at max_tokens"


async def test_an_endpoint_that_knows_little_is_asked_more_plainly_under_the_same_attempt() -> None:
    plain = Recording(["yes"], knows=frozenset())
    judge_reply = await judge.ask_judge(
        JudgeConfig(ask=plain.ask), Request(model="m", messages=(), response_format={"type": "json_object"}), reading
    )
    assert (judge_reply.score, plain.refused, plain.attempts) == (1.0, 2, [0, 0, 0])
    assert [dict(request.parameters) for request in plain.asked] == [{}]


async def test_what_earlier_runs_could_not_read_does_not_count() -> None:
    result = Recording(["hm", "ah", "oh", "yes"])
    reused = JudgeConfig(ask=result.ask, is_reused=lambda _, attempt: attempt < 2)
    reply = await judge.ask_judge(reused, Request(model="m", messages=()), reading)
    assert (reply.score, result.attempts) == (1.0, [0, 1, 2, 3])
    mumbling = Recording(["hm"] * 20)
    reused = JudgeConfig(ask=mumbling.ask, is_reused=lambda *_: True)
    assert (await judge.ask_judge(reused, Request(model="m", messages=()), reading)).score is None
    assert len(mumbling.attempts) == judge.MAX_ATTEMPTS
    recorded = Recording(["hm"] * 20)
    config = JudgeConfig(ask=recorded.ask, is_reused=lambda *_: True, can_ask=lambda _, attempt: attempt < 3)
    assert (await judge.ask_judge(config, Request(model="m", messages=()), reading)).score is None
    assert recorded.attempts == [0, 1, 2]
