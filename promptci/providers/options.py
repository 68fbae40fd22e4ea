"""Options: section `provider` of promptci.yml."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

OPENAI_URL = "https://api.openai.com/v1"


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelPrice:
    """What a model costs, for those no public price list knows."""

    input_usd: Decimal
    """USD per million input tokens."""
    output_usd: Decimal
    """USD per million output tokens."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderOptions:
    """Who is asked, and how patiently."""

    kind: str = "openai"
    """`openai` (any OpenAI-compatible endpoint), `local` (the embedded model) or `recorded` (answers from a file)."""
    base_url: str = OPENAI_URL
    """Address of the endpoint, up to and including `/v1`."""
    api_key_env: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; empty: the endpoint wants none."""
    path: str | None = None
    """Kind `recorded`: file with the answers, relative to the repository's root."""
    timeout_s: float = 60.0
    """How long one attempt may take in all, however slowly its bytes arrive."""
    max_attempts: int = 6
    """How often one call is tried, the first time included."""
    prices: Mapping[str, ModelPrice] = field(default_factory=dict)
    """Prices by model, in place of the public list's."""
