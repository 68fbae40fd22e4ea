"""Ask judges: through the run's own provider, budget, cache and journal, each distinct question once."""

import asyncio

from promptci.config.run_limits import RunLimits
from promptci.providers.base import Provider, Request
from promptci.runs import execute
from promptci.runs.execute import RunContext
from promptci.runs.model import Answer, Arm, Question

JUDGE_PROMPT_NAME = "judge"
"""Stands for the prompt's name in the journal's rows of judges' answers."""


class JudgeClient:
    """Asks judges through the same provider, each distinct question once."""

    def __init__(self, provider: Provider, limits: RunLimits, run_context: RunContext) -> None:
        """Hold the run's provider, limits and run_context."""
        self._provider = provider
        self._limits = limits
        self._desk = run_context
        self._room = asyncio.Semaphore(limits.concurrency or provider.concurrency)
        self._asked: dict[tuple[str, int], asyncio.Task[Answer]] = {}

    async def ask(self, request: Request, attempt: int) -> Answer:
        """Give the answer to a request; `attempt` counts from 0 and makes the same request another question."""
        key = (request.key, attempt)
        if key not in self._asked:
            self._asked[key] = asyncio.create_task(self._once(request, attempt))
        return await self._asked[key]

    async def _once(self, request: Request, attempt: int) -> Answer:
        question = judge_question(request, attempt)
        async with self._room:
            (answer,) = await execute.ask_questions(
                [question], self._provider, limits=self._limits, run_context=self._desk
            )
        return answer


def judge_question(request: Request, attempt: int = 0) -> Question:
    """Give a judge's request the form that is asked; equal requests are one question."""
    return Question(prompt=JUDGE_PROMPT_NAME, arm=Arm.HEAD, case_id=request.key, replicate=attempt, request=request)
