"""Ask judges: through the run's own provider, budget, cache and journal, each distinct question once."""

import asyncio

from promptci.config.run_limits import RunLimits
from promptci.pipeline.judge_question import judge_question
from promptci.providers import routing
from promptci.providers.base import Provider, Request
from promptci.runs import execute
from promptci.runs.execute import RunContext
from promptci.runs.model import Answer


class JudgeClient:
    """Asks judges through the same provider, each distinct question once."""

    def __init__(self, provider: Provider, limits: RunLimits, run_context: RunContext) -> None:
        """Share the provider, limits and budget of the run."""
        self._provider = provider
        self._limits = limits
        self._run_context = run_context
        self._slots = asyncio.Semaphore(limits.concurrency or provider.concurrency)
        self._asked: dict[tuple[str, int], asyncio.Task[Answer]] = {}

    async def ask(self, request: Request, attempt: int) -> Answer:
        """Return the answer to a request; `attempt` counts from 0 and makes the same request another question."""
        key = (request.key, attempt)
        if key not in self._asked:
            self._asked[key] = asyncio.create_task(self._once(request, attempt))
        return await self._asked[key]

    def is_reused(self, request: Request, attempt: int) -> bool:
        """Return whether the answer to this attempt comes from a journal or a shard."""
        resumed = judge_question(request, attempt).key in self._run_context.resumed
        return resumed or routing.knows(self._provider, request, attempt)

    def can_ask(self, request: Request, attempt: int) -> bool:
        """Return whether this attempt can be made."""
        return routing.can_answer(self._provider, request, attempt)

    async def _once(self, request: Request, attempt: int) -> Answer:
        question = judge_question(request, attempt)
        async with self._slots:
            (answer,) = await execute.ask_questions(
                [question], self._provider, limits=self._limits, run_context=self._run_context
            )
        return answer
