"""The interface of a provider: it turns a Request into a Completion, or raises CallError."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Protocol

from annotated_types import Ge

from promptci.files import canonical
from promptci.files.json_codec import STRICT_CONFIG, JsonCodec
from promptci.lazy_dataclass import dataclass

CallKey = tuple[str, int]
"""A request's key and the replicate: names one call."""
Tokens = Annotated[int, Ge(0)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request for one chat completion or one embedding; everything in it can change the answer."""

    model: str
    messages: Sequence[Mapping[str, Any]]
    """`{"role": …, "content": …}`, variables filled in; `content` is a text, or a list of parts with images."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Sent to the endpoint unchanged: `temperature`, `max_tokens`, …"""
    response_format: Mapping[str, Any] | None = None
    """`response_format` of the OpenAI API; None for text."""
    application: str = ""
    """Id of the revision of the application that is asked, for `kind: command`; empty: a model is asked."""
    case: Mapping[str, Any] | None = None
    """What the application gets: prompt, case and variables."""
    endpoint: str = ""
    """Id of the endpoint that answers, where it is not that of all prompts; not sent to it."""
    kind: Literal["chat", "embedding"] = "chat"
    """`embedding` asks for the vector of the only message's text; see `make_embedding_request`."""
    _key: str | None = field(default=None, init=False, repr=False, compare=False)
    """Cached value of `key`."""

    @property
    def body(self) -> dict[str, Any]:
        """JSON body of the call. Only chat bodies have `messages`, so the two kinds never share a key."""
        if self.kind == "embedding":
            return {"model": self.model, "input": self.messages[-1]["content"]}
        body: dict[str, Any] = {"model": self.model, "messages": [dict(m) for m in self.messages], **self.parameters}
        if self.application:
            body |= {"application": self.application, "case": dict(self.case or {})}
        return body if self.response_format is None else {**body, "response_format": dict(self.response_format)}

    @property
    def key(self) -> str:
        """SHA-256 of the body and the endpoint; requests with equal keys are the same request."""
        if self._key is None:
            asked = {"endpoint": self.endpoint, "body": self.body} if self.endpoint else self.body
            object.__setattr__(self, "_key", canonical.digest(asked))
        return self._key or ""


def read_text(message: Mapping[str, Any]) -> str:
    """Return the text of a message, without its images."""
    content = message["content"]
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)


def count_images(message: Mapping[str, Any]) -> int:
    """Return the number of images in a message."""
    content = message.get("content")
    return sum(part["type"] == "image_url" for part in content) if isinstance(content, list) else 0


def make_embedding_request(model: str, text: str) -> Request:
    """Build a request for the vector of a text; the completion's text is that vector as JSON."""
    return Request(model=model, messages=({"role": "user", "content": text},), kind="embedding")


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Token counts reported by the endpoint."""

    __pydantic_config__: ClassVar = STRICT_CONFIG
    input_tokens: Tokens
    output_tokens: Tokens
    cached_input_tokens: Tokens = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolCall:
    """One call of a tool that a model asks for."""

    __pydantic_config__: ClassVar = STRICT_CONFIG
    name: str
    arguments: str = ""
    """JSON, as the model wrote it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Completion:
    """One answer of a model."""

    __pydantic_config__: ClassVar = STRICT_CONFIG
    text: str
    usage: Usage | None = None
    latency_ms: Annotated[float, Ge(0)] | None = None
    """Wall time of the successful attempt in milliseconds, without the time spent in our own queue."""
    model: str | None = None
    """Model name in the response."""
    fingerprint: str | None = None
    """`system_fingerprint` of the response."""
    finish_reason: str | None = None
    """`stop`, `length`, `content_filter`, …"""
    refusal: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    batched: bool = False
    """Came through a Batch API, at half the price."""
    cost_usd: Annotated[Decimal, Ge(0)] | None = None
    """What the application says it cost; None: the price list tells."""
    trace: str | None = None
    """What an application adds to its answer, as JSON."""


COMPLETION_CODEC = JsonCodec(Completion)
"""Completions in recordings, the cache and the journal."""


class CallError(Exception):
    """One call failed for good (after retries); becomes an answer with an error."""

    def __init__(
        self, kind: str, message: str, *, fatal: bool = False, caused_by_request: bool = False, sent: bool = True
    ) -> None:
        """Build the error.

        Parameters
        ----------
        kind
            One of `auth`, `no-key`, `not-found`, `rate-limit`, `quota`, `timeout`, `connection`, `server`,
            `bad-request`, `context-length`, `refused`, `malformed`, `not-recorded`, `budget`, `deadline`, `batch`,
            `application`.
        message
            What happened and what to do about it.
        fatal
            No other call can succeed (wrong key, unknown model), so the run stops asking.
        caused_by_request
            The request itself makes the call fail, however often it is sent: a wrong answer of that prompt version.
        sent
            False: the call was never made, because the error of an earlier one forbade it.
        """
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.fatal = fatal
        self.caused_by_request = caused_by_request
        self.sent = sent


def _do_nothing(*_: object) -> None:
    pass


@dataclass(frozen=True, kw_only=True, slots=True)
class CallHooks:
    """Callbacks for a call that may wait for its turn and may take several attempts."""

    before_attempt: Callable[[], None] = _do_nothing
    """Called before each attempt; may raise CallError to prevent it."""
    on_billed_failure: Callable[[Completion], None] = _do_nothing
    """Receives the usage that the endpoint counted for an attempt without a usable answer."""
    on_long_wait: Callable[[str], None] = _do_nothing
    """Receives the reason why no call of a model is answered for many seconds."""


NO_HOOKS = CallHooks()


class Provider(Protocol):
    """Something that answers requests."""

    name: str
    """Shown in the report: base URL's host, `local`, `recorded`."""
    concurrency: int
    """Calls at once when `run.concurrency` is not set."""

    async def complete(self, request: Request, *, replicate: int, hooks: CallHooks = NO_HOOKS) -> Completion:
        """Return one completion; `replicate` counts repetitions of the same request from 0. Raises CallError."""
        ...

    async def aclose(self) -> None:
        """Free connections and memory."""
        ...
