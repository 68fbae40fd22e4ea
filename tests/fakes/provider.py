"""A provider in memory: answers by a function, and keeps count."""

import asyncio
from collections.abc import Callable

from promptci.providers.base import NO_HOOKS, CallError, CallHooks, Completion, Request, Usage

Outcome = Completion | CallError | str


class FakeProvider:
    """Answers what a function of the request and replicate says: a text, a completion, or an error to raise."""

    name = "fake"

    def __init__(
        self,
        answer: Callable[[Request, int], Outcome] = lambda request, _: f"to {request.messages[-1]['content']}",
        *,
        concurrency: int = 4,
        latency_s: float = 0.0,
        answers_before_hanging: int | None = None,
    ) -> None:
        self.concurrency = concurrency
        self.calls: list[tuple[Request, int]] = []
        self.at_once = 0
        self.most_at_once = 0
        self.closed = False
        self._answer = answer
        self._latency_s = latency_s
        self._answers_before_hanging = answers_before_hanging
        self.hangs = asyncio.Event()
        """Set once a call hangs."""

    async def complete(self, request: Request, *, replicate: int, hooks: CallHooks = NO_HOOKS) -> Completion:
        """Answer after the latency; after `answers_before_hanging` calls, never."""
        self.calls.append((request, replicate))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            hangs = self._answers_before_hanging is not None and len(self.calls) > self._answers_before_hanging
            if hangs:
                self.hangs.set()
            await (asyncio.Event().wait() if hangs else asyncio.sleep(self._latency_s))
        finally:
            self.at_once -= 1
        outcome = self._answer(request, replicate)
        if isinstance(outcome, CallError):
            raise outcome
        if isinstance(outcome, Completion):
            return outcome
        usage = Usage(input_tokens=10, output_tokens=len(outcome.split()))
        return Completion(text=outcome, usage=usage, latency_ms=self._latency_s * 1000, model=request.model)

    async def aclose(self) -> None:
        """Note that it was closed."""
        self.closed = True
