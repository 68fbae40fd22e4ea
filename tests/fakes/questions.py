"""Questions, and the asking of them, for the tests of a run."""

from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from fakes.provider import FakeProvider, Outcome

from promptci.config.run_limits import RunLimits
from promptci.providers.base import CallError, Completion, Provider, Request, Usage
from promptci.providers.options import ModelPrice, ProviderOptions
from promptci.providers.prices import PriceList
from promptci.runs.budget import Budget
from promptci.runs.execute import RunContext, ask_questions
from promptci.runs.model import Answer, Question
from promptci.runs.prompt_plan import Arm

CENT = PriceList(
    # A call of 10 tokens to read and 0 to write costs a cent; its longest answer is set by max_tokens.
    ProviderOptions(kind="local", prices={"m": ModelPrice(input_usd=Decimal(1000), output_usd=Decimal(10000))})
)


def question(case_id: str = "a", arm: Arm = Arm.HEAD, replicate: int = 0, **options: Any) -> Question:
    """Return a question; its text names arm and case unless `text` is given."""
    text = options.pop("text", f"{arm} {case_id}")
    request = Request(**{"model": "m", "messages": ({"role": "user", "content": text},), **options})
    return Question(prompt="p", arm=arm, case_id=case_id, replicate=replicate, request=request)


def pairs(count: int, **options: Any) -> list[Question]:
    """Return the questions of so many cases, both versions side by side."""
    return [question(str(i), arm, **options) for i in range(count) for arm in (Arm.BASE, Arm.HEAD)]


async def run(
    questions: Sequence[Question],
    provider: Provider | None = None,
    *,
    limits: RunLimits | None = None,
    **context: Any,
) -> tuple[Answer, ...]:
    """Ask with limits and a run_context made of the other arguments."""
    return await ask_questions(
        questions,
        provider or FakeProvider(),
        limits=limits or RunLimits(),
        run_context=RunContext(**{"budget": Budget(), **context}),
    )


def kinds(rows: Sequence[Answer]) -> Counter[str]:
    """Count what came of the questions."""
    return Counter("answered" if row.error is None else row.error.kind for row in rows)


def failing(at: Callable[[Request], CallError | None]) -> FakeProvider:
    """Return a provider that fails where the function says how."""

    def outcome(request: Request, _: int) -> Outcome:
        return at(request) or "fine"

    return FakeProvider(outcome, concurrency=1)


def cheap() -> Completion:
    """Return an answer that costs one cent."""
    return Completion(text="fine", usage=Usage(input_tokens=10, output_tokens=0), model="m")


def paid(count: int) -> tuple[list[Question], FakeProvider]:
    """Return questions of which each may cost two cents and does cost one."""
    text = "x" * 24  # six tokens and four for the message
    questions = [
        question(str(i), arm, text=f"{text[:-4]}{i:03}{arm[0]}", parameters={"max_tokens": 1})
        for i in range(count)
        for arm in (Arm.BASE, Arm.HEAD)
    ]
    return questions, FakeProvider(lambda *_: cheap(), concurrency=8, latency_s=0.001)
