"""promptfoo's providers: the model, its parameters, and the OpenAI-compatible endpoint that serves it."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from promptci.lazy_dataclass import dataclass
from promptci.prompts.formats import github_parameters
from promptci.prompts.formats.parse_context import name_key

KINDS = frozenset(("chat", "responses", "completion", "messages"))
"""Second parts of a provider's id that name no model."""
ENDPOINTS: dict[str, tuple[str, str | None]] = {
    "openai": ("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "anthropic": ("https://api.anthropic.com/v1", "ANTHROPIC_API_KEY"),
    "google": ("https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY"),
    "openrouter": ("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "ollama": ("http://localhost:11434/v1", None),
    "groq": ("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "mistral": ("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    "deepseek": ("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    "togetherai": ("https://api.together.xyz/v1", "TOGETHER_API_KEY"),
    "xai": ("https://api.x.ai/v1", "XAI_API_KEY"),
    "github": ("https://models.github.ai/inference", "GITHUB_TOKEN"),
}
"""Endpoint and the variable that holds its key, by the first part of a provider's id."""
SETTINGS = frozenset(("apiKey", "apiKeyEnvar", "apiBaseUrl", "apiHost", "organization"))
"""Keys of a provider that say where it is, and with which key; they are not parameters."""


OPTIONS = (*SETTINGS, *github_parameters.KNOWN_PARAMETERS)
PROVIDER_KEYS = frozenset(("id", "label", "config"))
"""Keys of a provider that are read, or that change nothing."""

TRANSFORMS = frozenset(("transform", "postprocess"))


@dataclass(kw_only=True, slots=True)
class PromptfooProvider:
    """One provider in promptci's terms."""

    model: str = ""
    base_url: str | None = None
    """None: promptci does not know where it is."""
    api_key_env: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    every_test: list[str] = field(default_factory=list)
    """What changes each answer before it is marked."""


def get_provider_id(written: Any) -> str:
    """Return the id of a provider: `openai:chat:gpt-4o`."""
    if not isinstance(written, Mapping):
        return str(written)
    return str(written.get("id") or (next(iter(written)) if len(written) == 1 else ""))


def read_provider(written: Any) -> PromptfooProvider:
    """Return what a provider asks: `openai:chat:gpt-4o`, or a map with `id` and `config`."""
    entry = written if isinstance(written, Mapping) else {}
    if "id" not in entry and len(entry) == 1:
        (inner,) = entry.values()
        entry = inner if isinstance(inner, Mapping) else {}
    options = entry.get("config")
    options = options if isinstance(options, Mapping) else {}
    provider_id = get_provider_id(written)
    kind, _, rest = provider_id.partition(":")
    first, _, model = rest.partition(":")
    provider = PromptfooProvider(model=model if first in KINDS and model else rest)
    provider.base_url, provider.api_key_env = ENDPOINTS.get(kind, (None, None))
    _find_endpoint(provider, provider_id, options)
    for key, setting in options.items():
        name = github_parameters.to_wire_name(str(key))
        if name in github_parameters.KNOWN_PARAMETERS and name != "response_format":
            provider.parameters[name] = setting
        elif key not in SETTINGS:
            provider.left_out.append(f"{name_key(str(key), OPTIONS)} of the provider")
    provider.left_out += [
        f"{name_key(str(key), PROVIDER_KEYS)} of the provider" for key in entry if key not in PROVIDER_KEYS | TRANSFORMS
    ]
    provider.every_test += [f"`{key}` of the provider" for key in sorted(TRANSFORMS & set(entry))]
    return provider


def _find_endpoint(provider: PromptfooProvider, provider_id: str, options: Mapping[str, Any]) -> None:
    """Take the address that the configuration names itself; a deployment of Azure has one of its own."""
    kind = provider_id.partition(":")[0]
    address, host = options.get("apiBaseUrl"), options.get("apiHost")
    if kind in {"azure", "azureopenai"} and isinstance(host, str):
        provider.base_url, provider.api_key_env = f"https://{host}/openai/v1", "AZURE_API_KEY"
    elif isinstance(address, str):
        provider.base_url = address
    elif provider.base_url is None:
        provider.model = ""
        provider.left_out.append(f"the provider `{provider_id[:80]}`, of which no OpenAI-compatible endpoint is known")
    for text in (provider.base_url or "", provider.model):
        if "{{" in text:  # filled in from promptfoo's own environment
            provider.left_out.append(f"`{text[:80]}` of the provider, which is not filled in")
    provider.base_url = None if "{{" in (provider.base_url or "") else provider.base_url
    provider.model = "" if "{{" in provider.model else provider.model
    if isinstance(options.get("apiKeyEnvar"), str):
        provider.api_key_env = options["apiKeyEnvar"]
