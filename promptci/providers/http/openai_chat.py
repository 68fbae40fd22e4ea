"""Any OpenAI-compatible endpoint."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from promptci.providers.base import NO_HOOKS, CallError, CallHooks, Completion, Request
from promptci.providers.http import api_errors, endpoint, response_parser
from promptci.providers.http.limiter import MAX_CONCURRENCY, Limiter
from promptci.providers.http.retry import AttemptFailed, ProviderClock, RetryPolicy, with_retries
from promptci.providers.http.transport import HttpResponse, Transport
from promptci.providers.options import ProviderOptions
from promptci.redact import Redactor

_NOT_ASKED_FOR = {"stream", "stream_options"}
"""Parameters that would change the form of the answer and nothing in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Form:
    """Where one kind of request goes, and how its answer is read."""

    path: str
    read: Callable[..., Completion]
    more: Mapping[str, Any] = field(default_factory=dict)
    """Goes into the body beside what was asked."""


CHAT = _Form(path="/chat/completions", read=response_parser.parse_completion)
EMBEDDING = _Form(path="/embeddings", read=response_parser.parse_embedding, more={"encoding_format": "float"})


class OpenAIProvider:
    """Asks `/chat/completions` of one endpoint, and `/embeddings`."""

    def __init__(
        self,
        options: ProviderOptions,
        *,
        key: str | None,
        redactor: Redactor | None = None,
        clock: ProviderClock | None = None,
        concurrency: int | None = None,
    ) -> None:
        """Make it; `key` None sends no Authorization header at all, `concurrency` None finds out how much is borne."""
        self.name = endpoint.host_name(options.base_url)
        self.concurrency = concurrency or MAX_CONCURRENCY
        self._at_first = concurrency
        self._options = options
        self._redactor = redactor or Redactor([key] if key else [])
        self._clock = clock or ProviderClock()
        self._patience = RetryPolicy(max_attempts=options.max_attempts)
        self._limiters: dict[str, Limiter] = {}
        self._transport = Transport(options.base_url, key=key)
        self._answered = False

    async def complete(self, request: Request, *, replicate: int, hooks: CallHooks = NO_HOOKS) -> Completion:
        """Ask, and ask again after what may pass; raises CallError."""
        form = EMBEDDING if request.kind == "embedding" else CHAT
        body = {key: value for key, value in request.body.items() if key not in _NOT_ASKED_FOR}

        async def attempt(left_s: float) -> Completion:
            return await self._attempt(form, {**body, **form.more}, left_s, limiter)

        limiter = self._limiter(request.model)
        try:
            completion = await with_retries(
                attempt, limiter=limiter, policy=self._patience, clock=self._clock, hooks=hooks
            )
        except CallError as error:
            # An endpoint that was never reached will not be reached by the next thousand calls either.
            lost = error.kind == "connection" and not self._answered
            message = api_errors.shorten(self._redactor.redact(error.message))
            raise CallError(error.kind, message, fatal=error.fatal or lost) from None
        self._answered = True
        return completion

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    def _limiter(self, model: str) -> Limiter:
        if model not in self._limiters:
            clock = self._clock
            limits: dict[str, float] = {}
            if self._at_first is not None:
                limits = {"initial_concurrency": self._at_first, "max_concurrency": self._at_first}
            self._limiters[model] = Limiter(now=clock.now, sleep=clock.sleep, uniform=clock.uniform, **limits)
        return self._limiters[model]

    async def _attempt(self, form: _Form, body: Mapping[str, Any], left_s: float, limiter: Limiter) -> Completion:
        content = json.dumps(body, separators=(",", ":")).encode()
        self._transport.open()  # before the clock starts
        started = self._clock.now()
        # From end to end: an endpoint that drips would never reach a time-out that counts from byte to byte.
        allowed = min(self._options.timeout_s, left_s)
        try:
            async with asyncio.timeout(allowed):
                reply = await self._transport.post(form.path, content)
        except TimeoutError:
            raise api_errors.timeout_failure(allowed) from None
        latency_ms = (self._clock.now() - started) * 1000
        limiter.observe_headers(reply.headers)
        raw = _parsed(reply) if 200 <= reply.status < 300 else self._refused(form, reply)
        try:
            return form.read(raw, latency_ms=latency_ms, wall=self._clock.wall())
        except AttemptFailed:
            # The same once more, so that the words of the error are taken from a text without the key.
            try:
                return form.read(self._redacted(raw), latency_ms=latency_ms, wall=self._clock.wall())
            except AttemptFailed as failed:
                failed.billed_completion = response_parser.parse_billed_usage(raw)
                raise

    def _redacted(self, raw: object) -> object:
        try:
            return json.loads(self._redactor.redact(json.dumps(raw)))
        except (ValueError, RecursionError):
            return None

    def _refused(self, form: _Form, reply: HttpResponse) -> object:
        """Raise what an HTTP error stands for; a content filter's refusal becomes the empty answer that it is."""
        self._answered = True
        said = self._redactor.redact(reply.content.decode(errors="replace"))
        try:
            body = json.loads(said)
        except (ValueError, RecursionError):
            body = said
        if form is CHAT and api_errors.is_content_filter(reply.status, body):
            return {"choices": [{"finish_reason": "content_filter", "message": {"content": None}}]}
        raise api_errors.failure_from_status(reply.status, reply.headers, body, self._clock.wall(), path=form.path)


def _parsed(reply: HttpResponse) -> object:
    """Give the JSON of an answer, or its text where it does not call itself JSON."""
    media_type = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not media_type.endswith("json"):
        return reply.content.decode(errors="replace")
    try:
        return json.loads(reply.content)
    except (ValueError, RecursionError):
        raise api_errors.malformed_failure("the answer is not valid JSON") from None
