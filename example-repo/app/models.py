"""The model behind the application: recorded answers, or the small embedded model. Yours would be an SDK's client."""

import asyncio
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from promptci.providers.base import CallError, Provider, Request
from promptci.providers.local import model_file
from promptci.providers.local.provider import LocalModel
from promptci.providers.recorded import open_recording


class ModelError(Exception):
    """The model did not answer."""


@dataclass(frozen=True)
class Answer:
    """What the model answered, and what the request log takes of it."""

    text: str
    latency_ms: float
    response: dict


class ModelClient:
    """Asks a provider of promptci, from any thread."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def ask(self, model: str, messages: list[dict[str, str]], parameters: dict) -> Answer:
        """Return the answer to one request; raises ModelError."""
        request = Request(model=model, messages=messages, parameters=parameters)
        try:
            answer = self._provider.complete(request, replicate=0)
            completion = asyncio.run_coroutine_threadsafe(answer, self._loop).result()
        except CallError as error:
            raise ModelError(error.message) from error
        usage = completion.usage and {
            "input_tokens": completion.usage.input_tokens,
            "output_tokens": completion.usage.output_tokens,
        }
        response = {"model": completion.model, "system_fingerprint": completion.fingerprint, "usage": usage}
        # Of a recorded answer: how long it took when it was recorded.
        return Answer(text=completion.text.strip(), latency_ms=round(completion.latency_ms or 0, 1), response=response)


def open_model(name: str, recording: Path) -> ModelClient:
    """Return the model of a name: `recorded` answers from a file, `embedded` thinks for itself."""
    if name == "recorded":
        return ModelClient(open_recording(recording, shown_as=str(recording)))
    file = model_file.find_model_file(os.environ, model_file.cache_home(os.environ))
    return ModelClient(LocalModel(file))
