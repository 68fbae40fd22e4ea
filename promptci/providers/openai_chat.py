"""Any OpenAI-compatible endpoint; the only file that imports `openai`."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from promptci.providers import answer, endpoint, failures
from promptci.providers.base import CallError, Completion, Request
from promptci.providers.limiter import Limiter
from promptci.providers.options import Options
from promptci.providers.retry import Again, Clock, Failed, Patience, persist
from promptci.redact import Redactor

LARGEST_BODY = 16 * 2**20
"""Bytes of one answer; more is an attack or a fault."""
CONNECT_S = 10.0
WORKERS = 64
"""Calls at once where the user did not say; the limiter lets as many through as the endpoint bears."""
_NOT_ASKED_FOR = {"stream", "stream_options"}
"""Parameters that would change the form of the answer and nothing in it."""


class _Client(Protocol):
    """What is used of `openai.AsyncOpenAI`."""

    async def post(self, path: str, *, cast_to: Any, body: Any) -> Any: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class _Form:
    """Where one kind of request goes, and how its answer is read."""

    path: str
    read: Callable[..., Completion]
    more: Mapping[str, Any] = field(default_factory=dict)
    """Goes into the body beside what was asked."""


CHAT = _Form(path="/chat/completions", read=answer.completion)
EMBEDDING = _Form(path="/embeddings", read=answer.embedding, more={"encoding_format": "float"})


class OpenAIChat:
    """Asks `/chat/completions` of one endpoint, and `/embeddings`."""

    def __init__(
        self, options: Options, *, key: str | None, redactor: Redactor | None = None, clock: Clock | None = None
    ) -> None:
        """Make it; `key` None sends no Authorization header at all."""
        self.name = endpoint.host(options.base_url)
        self.concurrency = WORKERS
        self._options = options
        self._key = key
        self._redactor = redactor or Redactor([key] if key else [])
        self._clock = clock or Clock()
        self._patience = Patience(attempts=options.attempts)
        self._limiters: dict[str, Limiter] = {}
        self._client: _Client | None = None
        self._answered = False

    async def complete(self, request: Request, *, replicate: int) -> Completion:
        """Ask, and ask again after what may pass; raises CallError."""
        form = EMBEDDING if request.kind == "embedding" else CHAT
        body = {key: value for key, value in request.body.items() if key not in _NOT_ASKED_FOR}

        async def attempt(left_s: float) -> Completion:
            return await self._attempt(form, {**body, **form.more}, left_s)

        try:
            completion = await persist(
                attempt, limiter=self._limiter(request.model), patience=self._patience, clock=self._clock
            )
        except CallError as error:
            # An endpoint that was never reached will not be reached by the next thousand calls either.
            lost = error.kind == "connection" and not self._answered
            message = failures.cut(self._redactor.text(error.message))
            raise CallError(error.kind, message, fatal=error.fatal or lost) from None
        self._answered = True
        return completion

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    def _limiter(self, model: str) -> Limiter:
        if model not in self._limiters:
            clock = self._clock
            self._limiters[model] = Limiter(now=clock.now, sleep=clock.sleep, uniform=clock.uniform)
        return self._limiters[model]

    async def _attempt(self, form: _Form, body: Mapping[str, Any], left_s: float) -> Completion:
        # Before the clock starts: importing the package takes longer than many an answer.
        self._client = client = self._client or _client(self._options, self._key)
        started = self._clock.now()
        # The package's own time-out counts from byte to byte; an endpoint that drips would never reach it.
        allowed = min(self._options.timeout_s, left_s)
        try:
            async with asyncio.timeout(allowed):
                raw = await self._post(client, form, body)
        except TimeoutError:
            raise failures.timed_out(allowed) from None
        latency_ms = (self._clock.now() - started) * 1000
        try:
            return form.read(raw, latency_ms=latency_ms, wall=self._clock.wall())
        except Failed:
            # The same once more, so that the words of the error are taken from a text without the key.
            return form.read(self._redacted(raw), latency_ms=latency_ms, wall=self._clock.wall())

    async def _post(self, client: _Client, form: _Form, body: Mapping[str, Any]) -> object:
        import aiohttp  # noqa: PLC0415 - heavy: keeps --help fast
        import openai  # noqa: PLC0415 - heavy: keeps --help fast

        try:
            return await client.post(form.path, cast_to=object, body=body)
        except openai.APIStatusError as error:
            return self._refused(form, error.status_code, dict(error.response.headers), error.response.content)
        except (openai.APIConnectionError, aiohttp.ClientError) as error:
            for cause in failures.causes_of(error):
                if isinstance(cause, aiohttp.ClientHttpProxyError):
                    raise failures.of_proxy(cause.status) from None
            raise failures.of_transport(error, self.name) from None
        except (ValueError, RecursionError):
            raise failures.malformed("the answer is not valid JSON") from None

    def _redacted(self, raw: object) -> object:
        try:
            return json.loads(self._redactor.text(json.dumps(raw)))
        except (ValueError, RecursionError):
            return None

    def _refused(self, form: _Form, status: int, headers: Mapping[str, str], content: bytes) -> object:
        """Raise what an HTTP error stands for; a content filter's refusal becomes the empty answer that it is."""
        self._answered = True
        said = self._redactor.text(content.decode(errors="replace"))
        try:
            body = json.loads(said)
        except (ValueError, RecursionError):
            body = said
        if form is CHAT and failures.is_filtered(status, body):
            return {"choices": [{"finish_reason": "content_filter", "message": {"content": None}}]}
        raise failures.of_status(status, headers, body, self._clock.wall(), path=form.path)


def _client(options: Options, key: str | None) -> _Client:
    """Make the client: the faster transport, no retries of its own, no redirects, and bodies of bounded size."""
    import openai  # noqa: PLC0415 - heavy: keeps --help fast

    class Bounded(openai.DefaultAioHttpClient):
        async def send(self, *args: Any, **kwargs: Any) -> Any:
            request = args[0]
            for header in _unwanted(has_key=key is not None):
                request.headers.pop(header, None)
            response = await super().send(request, **{**kwargs, "stream": True})
            try:
                body = await _read(response)
            finally:
                await response.aclose()
            return type(response)(response.status_code, headers=response.headers, content=body, request=request)

    return openai.AsyncOpenAI(
        base_url=options.base_url,
        api_key=key or "none",
        max_retries=0,
        timeout=openai.Timeout(options.timeout_s, connect=CONNECT_S),
        default_headers={"Accept-Encoding": "identity"},
        http_client=Bounded(follow_redirects=False, trust_env=not endpoint.is_loopback(options.base_url)),
    )


def _unwanted(*, has_key: bool) -> tuple[str, ...]:
    """Name headers that the package takes from the environment and that are not this endpoint's business."""
    ambient = ("OpenAI-Organization", "OpenAI-Project")
    return ambient if has_key else (*ambient, "Authorization")


async def _read(response: Any) -> bytes:
    """Read the body up to the limit; a compressed one, which nobody asked for, could unpack to any size."""
    encoding = response.headers.get("content-encoding", "identity")
    if encoding.lower() not in {"identity", ""}:
        failed = failures.malformed(f"the answer is compressed ({encoding}) though that was not asked for")
        raise Failed(failed.error, again=Again.NEVER)
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise failures.malformed(f"the answer is larger than {LARGEST_BODY // 2**20} MiB")
    return bytes(body)
