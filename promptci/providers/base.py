"""What a provider is: a Request in, a Completion out, or a CallError."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from promptci.files import canonical


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One chat completion, or one embedding, to ask for; everything in it can change the answer."""

    model: str
    messages: Sequence[Mapping[str, str]]
    """`{"role": …, "content": …}`, variables filled in."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Passed to the endpoint as they are: `temperature`, `max_tokens`, …"""
    response_format: Mapping[str, Any] | None = None
    """As the OpenAI API spells it; None for text."""
    kind: Literal["chat", "embedding"] = "chat"
    """`embedding`: the text of the only message as a vector; made by `embedding`, without parameters."""
    _key: str | None = field(default=None, init=False, repr=False, compare=False)
    """The key, once it was asked for."""

    @property
    def body(self) -> dict[str, Any]:
        """JSON body of the call; only a chat's holds `messages`, so the two kinds never share a key."""
        if self.kind == "embedding":
            return {"model": self.model, "input": self.messages[-1]["content"]}
        body: dict[str, Any] = {"model": self.model, "messages": [dict(m) for m in self.messages], **self.parameters}
        return body if self.response_format is None else {**body, "response_format": dict(self.response_format)}

    @property
    def key(self) -> str:
        """SHA-256 of the body: equal keys ask for the same thing."""
        if self._key is None:
            object.__setattr__(self, "_key", canonical.digest(self.body))
        return self._key or ""


def make_embedding_request(model: str, text: str) -> Request:
    """Ask for the vector of a text; the answer's text is that vector as JSON."""
    return Request(model=model, messages=({"role": "user", "content": text},), kind="embedding")


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Tokens as the endpoint counted them."""

    input_tokens: int
    output_tokens: int
    cached_input_tokens: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Completion:
    """One answer of a model."""

    text: str
    usage: Usage | None = None
    latency_ms: float | None = None
    """Wall time of the successful attempt, milliseconds, waiting in our own queue not counted."""
    model: str | None = None
    """Model the endpoint says it used."""
    fingerprint: str | None = None
    """`system_fingerprint` of the endpoint."""
    finish_reason: str | None = None
    """`stop`, `length`, `content_filter`, …"""
    refusal: str | None = None
    batched: bool = False
    """Asked through a Batch API, where a call costs half."""


class CallError(Exception):
    """One call failed for good (after retries); becomes a row with its error."""

    def __init__(self, kind: str, message: str, *, fatal: bool = False) -> None:
        """Make it.

        `kind` is one of `auth`, `not-found`, `rate-limit`, `quota`, `timeout`, `connection`, `server`, `bad-request`,
        `context-length`, `malformed`, `not-recorded`, `budget`, `deadline`. `fatal`: no other call can do better
        (wrong key, unknown model), so the run stops asking.
        """
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.fatal = fatal


def _nothing(*_: object) -> None:
    """Do nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallHooks:
    """What who asks is told of a call that may have to wait for its turn, and be made several times."""

    before_attempt: Callable[[], None] = _nothing
    """Called as the call leaves, and again before each further attempt; may raise CallError, and then it stays."""
    on_billed_failure: Callable[[Completion], None] = _nothing
    """Told what the endpoint counted for an attempt whose answer cannot be used."""


NO_HOOKS = CallHooks()


class Provider(Protocol):
    """Something that answers requests."""

    name: str
    """Shown in the report: base URL's host, `local`, `recorded`."""
    concurrency: int
    """How many calls at once make sense when the user did not say."""

    async def complete(self, request: Request, *, replicate: int, hooks: CallHooks = NO_HOOKS) -> Completion:
        """Ask once; `replicate` counts repetitions of the same request from 0. Raises CallError."""
        ...

    async def aclose(self) -> None:
        """Free connections and memory."""
        ...
