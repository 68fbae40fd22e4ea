"""Any OpenAI-compatible endpoint."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import field
from functools import partial
from typing import Any

from promptci.lazy_dataclass import dataclass
from promptci.providers.base import NO_HOOKS, CallError, CallHooks, Completion, Request
from promptci.providers.http import endpoint, response_parser
from promptci.providers.http.errors import api_errors, transport_errors
from promptci.providers.http.pacing.concurrency_growth import MAX_WAIT_S
from promptci.providers.http.pacing.limiter import Limiter
from promptci.providers.http.refusals import RefusalWatch
from promptci.providers.http.retry import AttemptFailed, ProviderClock, RetryPolicy, with_retries
from promptci.providers.http.transport import HttpResponse, Transport
from promptci.providers.known_limits import MAX_CONCURRENCY, LimitsFile
from promptci.providers.model_names import map_model_name
from promptci.providers.options import ProviderOptions
from promptci.redact import Redactor

UNSENT_PARAMETERS = {"stream", "stream_options"}
"""Parameters that change the form of the response and nothing in the answer."""
FILTERED_RESPONSE = {"choices": [{"finish_reason": "content_filter", "message": {"content": None}}]}
"""What a content filter's refusal of the prompt counts as: an empty answer."""
MAX_REQUEST_BYTES = 8 * 2**20
"""Larger than any model's context; a larger request is a mistake in a prompt or a golden case."""
MAX_BLANKS = 1000
"""Blank characters before a web page that are looked over."""
MAX_TOTAL_S = 120.0
"""Attempts and pauses of one call together, unless `provider.timeout` is longer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _CallKind:
    """Path and response parser of one kind of request."""

    path: str
    parse: Callable[..., Completion]
    extra_body: Mapping[str, Any] = field(default_factory=dict)


CHAT = _CallKind(path="/chat/completions", parse=response_parser.parse_completion)
EMBEDDING = _CallKind(
    path="/embeddings", parse=response_parser.parse_embedding, extra_body={"encoding_format": "float"}
)


class OpenAIProvider:
    """Calls `/chat/completions` and `/embeddings` of one endpoint."""

    def __init__(
        self,
        options: ProviderOptions,
        *,
        key: str | None,
        redactor: Redactor | None = None,
        clock: ProviderClock | None = None,
        concurrency: int | None = None,
    ) -> None:
        """Prepare the client. `options.headers` are sent as they are; `concurrency` None finds out what is allowed."""
        self.name = endpoint.host_name(options.base_url)
        self.concurrency = concurrency or MAX_CONCURRENCY
        self._fixed_concurrency = concurrency
        self._options = options
        self._has_key = bool(key)
        self._redactor = redactor or Redactor([key] if key else [])
        self._clock = clock or ProviderClock()
        max_total_s = max(MAX_TOTAL_S, 2 * options.timeout_s)
        self._policy = RetryPolicy(max_attempts=options.max_attempts, max_total_s=max_total_s)
        self._limiters: dict[str, Limiter] = {}
        self.limits_file: LimitsFile | None = None
        """Keeps what was found out for later runs; None: it is forgotten."""
        self._transport = Transport(options.base_url, key=key, headers=options.headers)
        self._was_reached = self._was_answered = False
        self._refusals: dict[str, RefusalWatch] = {}

    async def complete(self, request: Request, *, replicate: int, hooks: CallHooks = NO_HOOKS) -> Completion:
        """Call the endpoint and retry what may pass; raises CallError."""
        kind = EMBEDDING if request.kind == "embedding" else CHAT
        content = _encode(request, kind, self._options)
        limiter = self._limiter(request.model)
        refusals = self._refusals.setdefault(request.model, RefusalWatch(limiter, self._clock))

        def notify(message: str) -> None:
            hooks.on_long_wait(f"{request.model}: {self._redactor.redact(message)}")

        try:
            completion = await with_retries(
                partial(self._attempt, kind, content, limiter),
                limiter=limiter,
                policy=self._policy,
                clock=self._clock,
                hooks=hooks,
                on_refusal=lambda failed: refusals.record_refusal(failed, notify),
            )
        except CallError as error:
            # An endpoint that was never reached will not be reached by the next thousand calls either.
            unreachable = error.kind == "connection" and not self._was_reached
            if not (self._has_key or self._was_answered):
                error = api_errors.ask_for_key(error, self._options.api_key_env)
            message = api_errors.shorten(self._redactor.redact(error.message))
            raise _restate(error, message, fatal=error.fatal or unreachable) from None
        self._was_reached = self._was_answered = True
        refusals.record_answer()
        return completion

    async def aclose(self) -> None:
        """Close the connections, and keep what was found out about the endpoint's limits."""
        if self.limits_file is not None:
            self.limits_file.save({model: limiter.known_limit() for model, limiter in self._limiters.items()})
        await self._transport.aclose()

    def _limiter(self, model: str) -> Limiter:
        if model not in self._limiters:
            fixed, clock = self._fixed_concurrency, self._clock
            bounds = {} if fixed is None else {"initial_concurrency": fixed, "max_concurrency": fixed}
            limiter = Limiter(now=clock.now, sleep=clock.sleep, uniform=clock.uniform, **bounds)
            limiter.growth.max_wait_s = min(MAX_WAIT_S, self._options.timeout_s / 2)
            if self.limits_file is not None and (known := self.limits_file.load().get(model)):
                limiter.begin_with(known)
            self._limiters[model] = limiter
        return self._limiters[model]

    async def _attempt(self, kind: _CallKind, content: bytes, limiter: Limiter, remaining_s: float) -> Completion:
        self._transport.open()  # before the clock starts
        started = self._clock.now()
        # From end to end: an endpoint that drips would never reach a timeout that counts from byte to byte.
        limit_s = min(self._options.timeout_s, remaining_s)
        try:
            async with asyncio.timeout(limit_s):
                response = await self._transport.post(kind.path, content)
        except TimeoutError:
            raise transport_errors.timeout_failure(limit_s) from None
        latency_ms = (self._clock.now() - started) * 1000
        limiter.observe_headers(response.headers)
        if 200 <= response.status < 300:
            raw = _parse_body(response, self._redactor, was_reached=self._was_reached)
        else:
            raw = self._parse_error(kind, response)
        try:
            completion = kind.parse(raw, latency_ms=latency_ms, wall=self._clock.wall())
        except AttemptFailed:
            # Parsed again from a redacted text, so that the error's message cannot contain the key.
            try:
                completion = kind.parse(
                    redact_json(raw, self._redactor), latency_ms=latency_ms, wall=self._clock.wall()
                )
            except AttemptFailed as failed:
                failed.billed_completion = response_parser.parse_billed_usage(raw)
                raise
        strips = kind is CHAT and self._options.strip_reasoning
        return response_parser.strip_reasoning(completion) if strips else completion

    def _parse_error(self, kind: _CallKind, response: HttpResponse) -> object:
        """Raise the failure for an HTTP error; return a content filter's refusal as the empty answer that it is."""
        self._was_reached = True
        text = self._redactor.redact(response.content.decode(errors="replace"))
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            body = text
        if kind is CHAT and api_errors.is_content_filter(response.status, body):
            return FILTERED_RESPONSE
        raise api_errors.failure_from_status(
            response.status, response.headers, body, self._clock.wall(), path=kind.path
        )


def build_body(request: Request, options: ProviderOptions) -> dict[str, Any]:
    """Return the JSON body of a request as this endpoint gets it: with its own name of the model."""
    body = {key: value for key, value in request.body.items() if key not in UNSENT_PARAMETERS}
    return {**body, "model": map_model_name(request.model, options.models, endpoint.host_name(options.base_url))}


def redact_json(raw: object, redactor: Redactor) -> object:
    """Return JSON values with the secrets in their texts redacted."""
    try:
        return json.loads(redactor.redact(json.dumps(raw)))
    except (ValueError, RecursionError):
        return None


def _restate(error: CallError, message: str, *, fatal: bool) -> CallError:
    """Return an error in other words."""
    return CallError(error.kind, message, fatal=fatal, caused_by_request=error.caused_by_request, sent=error.sent)


def _parse_body(response: HttpResponse, redactor: Redactor, *, was_reached: bool) -> object:
    """Parse the body; raise the failure for a web page, whatever it is declared as."""
    if response.content[:MAX_BLANKS].lstrip().startswith(b"<"):
        page = redactor.redact(response.content.decode(errors="replace"))
        raise api_errors.web_page_failure(page, was_reached=was_reached)
    return _parse_json(response)


def _parse_json(response: HttpResponse) -> object:
    """Parse the body, or return its text if it is not declared as JSON."""
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not media_type.endswith("json"):
        return response.content.decode(errors="replace")
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        raise api_errors.malformed_failure("the response is not valid JSON") from None


def _encode(request: Request, kind: _CallKind, options: ProviderOptions) -> bytes:
    content = json.dumps({**build_body(request, options), **kind.extra_body}, separators=(",", ":")).encode()
    if len(content) > MAX_REQUEST_BYTES:
        size = f"{len(content) / 2**20:.0f} MiB"
        message = f"the rendered request has {size}, and no model takes more than {MAX_REQUEST_BYTES // 2**20} MiB"
        raise CallError("context-length", message, caused_by_request=True)
    return content
