"""Judges that answer well, badly, or not at all."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from promptci.goldens.model import Assertion, Case
from promptci.providers.base import Completion, Request
from promptci.runs.model import Answer, AnswerError
from promptci.runs.prompt_plan import Arm
from promptci.scoring import score
from promptci.scoring.judges.judge import JudgeConfig
from promptci.scoring.model import ScoredCase

EVALUATOR = {
    "model": "judge-model",
    "prompt": "Asked: {{input}}\nGiven: {{completion}}\nGood?",
    "system_prompt": "Be strict with {{input}}.",
    "choices": [{"choice": "yes", "score": 1}, {"choice": "partly", "score": 0.25}, {"choice": "no", "score": 0}],
    "last_line": False,
}
LLM = Assertion(type="llm", value=EVALUATOR, name="helpful")
JUDGE = Assertion(type="judge")


@dataclass
class FakeJudge:
    """Returns its answers in turn, the last one for ever; keeps what it was asked."""

    answers: list[str | None]
    finishes: list[str] = field(default_factory=lambda: ["stop"])
    knows: frozenset[str] = frozenset({"response_format", "temperature", "max_tokens"})
    """Keys of a request that its endpoint takes; others are answered with HTTP 400."""
    asked: list[Request] = field(default_factory=list)
    """Requests that it took."""
    refused: int = 0

    async def ask(self, request: Request, attempt: int) -> Answer:
        """Answer, or refuse what the endpoint does not know."""
        if not request.body.keys() <= self.knows | {"model", "messages"}:
            self.refused += 1
            return answered(request, attempt, error=AnswerError(kind="bad-request", message="unknown parameter"))
        turn = len(self.asked)
        self.asked.append(request)
        text = self.answers[min(turn, len(self.answers) - 1)]
        if text is None:
            return answered(request, attempt, error=AnswerError(kind="server", message="HTTP 500"))
        finish = self.finishes[min(turn, len(self.finishes) - 1)]
        return answered(request, attempt, completion=Completion(text=text, finish_reason=finish))


def answered(request: Request, attempt: int, **outcome: Any) -> Answer:
    """Return a judge's answer: a `completion` or an `error`."""
    cost = Decimal("0.001") if "completion" in outcome else None
    return Answer(
        prompt="judge",
        arm=Arm.HEAD,
        case_id=request.key,
        replicate=attempt,
        request_key=request.key,
        cost_usd=cost,
        **outcome,
    )


class Asked(Protocol):
    """Whatever answers a judge's questions."""

    async def ask(self, request: Request, attempt: int) -> Answer:
        """Answer one."""
        ...


async def marked(judge: Asked | None, assertion: Assertion = LLM, text: str = "Hello", **config: Any) -> ScoredCase:
    """Have an answer to one case marked by one assertion; `run_context` changes the judge's model and rubric."""
    case = Case(id="c", vars={"input": "hi"}, assertions=(assertion,), path="g")
    answer = Answer(
        prompt="p", arm=Arm.HEAD, case_id="c", replicate=0, request_key="k", completion=Completion(text=text)
    )
    result = None if judge is None else JudgeConfig(ask=judge.ask, **{"model": "m", "rubric": "Be kind.", **config})
    (scored,) = await score.score_answers([answer], {"c": case}, result)
    return scored
