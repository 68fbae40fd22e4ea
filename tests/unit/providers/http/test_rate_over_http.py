"""The pace of calls against a real server that allows so many a second."""

import asyncio
import threading
import time
from itertools import chain

import pytest
from fakes.asking import request
from fakes.openai_server import Call, OpenAIServer, Reply, error

from promptci.providers.base import Completion
from promptci.providers.http.openai_chat import OpenAIProvider
from promptci.providers.options import ProviderOptions

RATE, BURST, SECONDS = 40.0, 40.0, 45.0


class Allowance:
    """A token bucket on the clock of the world."""

    def __init__(self) -> None:
        self.refused = 0
        self.answered: list[float] = []
        self._tokens, self._at = BURST, time.monotonic()
        self._lock = threading.Lock()

    def answer(self, call: Call) -> Reply | str:
        """Answer, or refuse where nothing is left."""
        with self._lock:
            now = time.monotonic()
            self._tokens = min(BURST, self._tokens + (now - self._at) * RATE)
            self._at = now
            if self._tokens < 1:
                self.refused += 1
                return error(429, "too many")
            self._tokens -= 1
            self.answered.append(now)
            return "fine"


@pytest.mark.long
async def test_a_real_endpoint_is_used_to_nine_tenths_of_what_it_allows_and_hardly_ever_refuses() -> None:
    allowance = Allowance()
    calls = int(RATE * SECONDS + BURST)
    with OpenAIServer(allowance.answer, latency_s=0.1) as server:
        provider = OpenAIProvider(ProviderOptions(base_url=server.base_url), key=None)
        waiting = iter(range(calls))

        async def work() -> list[Completion]:
            return [await provider.complete(request(str(number)), replicate=0) for number in waiting]

        results = list(chain.from_iterable(await asyncio.gather(*(work() for _ in range(200)))))
        await provider.aclose()

    late = allowance.answered[calls // 3 : -calls // 20]
    assert len(results) == calls
    assert (len(late) - 1) / (late[-1] - late[0]) >= 0.9 * RATE
    assert allowance.refused < 0.02 * len(server.calls)
