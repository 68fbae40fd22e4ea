"""Options of a provider: section `provider` of promptci.yml."""

import hashlib
from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal
from typing import Any

from promptci.lazy_dataclass import dataclass

OPENAI_URL = "https://api.openai.com/v1"


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelPrice:
    """Price of a model that no public price list has."""

    input_usd: Decimal
    """USD per million input tokens."""
    output_usd: Decimal
    """USD per million output tokens."""
    cached_input_usd: Decimal | None = None
    """USD per million input tokens that the endpoint had cached; None: `input_usd`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderOptions:
    """Which provider answers, and how it is called."""

    kind: str = "openai"
    """`openai` (any OpenAI-compatible endpoint), `local`, `recorded` (answers from a file) or `command`."""
    base_url: str = OPENAI_URL
    """Address of the endpoint, up to and including `/v1`; Azure's may end in `?api-version=…`."""
    api_key_env: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; empty if the endpoint needs none."""
    model: str | None = None
    """Model of prompt files that name none."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Parameters by their names in the request, each for prompts that do not set it."""
    path: str | None = None
    """File of recorded answers for kind `recorded`, relative to the repository's root."""
    run: tuple[str, ...] = ()
    """Program of kind `command`, and its arguments."""
    env: tuple[str, ...] = ()
    """Environment variables that this program gets."""
    sources: tuple[str, ...] = ("**",)
    """Globs of the files that make up the application."""
    run_time_s: float = 600.0
    """Limit of one run of the program."""
    memory_mb: int = 4096
    """Address space that it may take."""
    timeout_s: float = 60.0
    """Limit of one attempt, from the request to the last byte of the response."""
    max_attempts: int = 6
    """Attempts of one call, the first included."""
    prices: Mapping[str, ModelPrice] = field(default_factory=dict)
    """Prices by model; take precedence over the public list."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Extra request headers; `${NAME}` in a value is replaced by the environment variable."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Names that the endpoint knows models by; `*` in a name stands for the same text on both sides."""
    strip_reasoning: bool = True
    """Remove a leading `<think>…</think>` block from answers."""

    @property
    def id(self) -> str:
        """Name of these options within a run: equal options have equal ones."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]

    @property
    def label(self) -> str:
        """What the provider is called in plans and reports: the address of its endpoint, else its kind."""
        return self.base_url if self.kind == "openai" else self.kind
