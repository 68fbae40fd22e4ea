"""Schema of what a prompt may have of its own: section `overrides` of promptci.yml, and `promptci` of a prompt file."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from promptci.config.sections.provider_schema import EndpointSection
from promptci.config.sections.section import ConfigSection, RepositoryFile, accept_single
from promptci.config.trust import is_loopback
from promptci.prompts.formats.github_parameters import parse_default_parameters

Rate = Annotated[float, Field(ge=0, le=1)]


class PromptGateSection(ConfigSection):
    """Conditions that the change of one prompt must meet."""

    about: Literal["goldens", "inputs"] = Field(
        default="goldens",
        description="What the verdict is about. `goldens`: these very cases, as a test suite is meant. `inputs`: inputs"
        " like them, for a sample of production traffic; it takes a hundred cases and more to decide.",
    )
    max_drop: Annotated[float, Field(ge=0.001, le=1)] = Field(
        default=0.05, description="Margin: the smallest drop in quality that blocks, as a share."
    )
    on_missing_goldens: Literal["error", "warn"] = Field(
        default="error", description="Verdict of a prompt without golden cases."
    )
    min_quality: Rate | None = Field(default=None, description="Lowest allowed quality of the new version, as a share.")
    max_cost_increase: Annotated[float, Field(ge=0)] | None = Field(
        default=0.25,
        description="Largest allowed increase of cost per request, as a share; null: no limit. It takes 8 cases.",
    )
    max_p95_increase: Annotated[float, Field(ge=0)] | None = Field(
        default=0.30, description="Largest allowed increase of p95 latency, as a share; null: no limit."
    )
    max_error_rate: Rate = Field(
        default=0.05, description="Largest allowed share of missing answers; above it, the verdict is `error`."
    )


class PromptJudgeSection(ConfigSection):
    """The judge of one prompt."""

    model: str | None = Field(default=None, description="Model of its `judge` assertions.")
    rubric: RepositoryFile | None = Field(default=None, description="File with the rubric of its `judge` assertions.")


class PromptProviderSection(EndpointSection):
    """The endpoint of some prompts, and model and parameters of those that do not name them."""

    kind: Literal["openai", "local", "recorded"] = Field(
        default="openai", description="Kind of their provider. An item with `kind` or `base_url` is an endpoint apart."
    )
    model: str | None = Field(default=None, description="Model of these prompts, where their files name none.")
    defaults: dict[str, Any] = Field(default={}, description="Parameters of these prompts, beside `provider.defaults`.")

    @field_validator("defaults")
    @classmethod
    def _check_defaults(cls, defaults: dict[str, Any]) -> dict[str, Any]:
        return parse_default_parameters(defaults)

    @model_validator(mode="after")
    def _require_key_variable(self) -> Self:
        named = self.model_fields_set
        if "base_url" in named and "api_key_env" not in named and not is_loopback(self.base_url):
            raise ValueError(
                'an endpoint of its own names the variable of its key: add `api_key_env`, `""` for an endpoint without'
            )
        return self


class NamedEndpointSection(ConfigSection):
    """The endpoint of one prompt: one that promptci.yml describes, with its key."""

    base_url: str | None = Field(
        default=None, description="An address that `provider` or `overrides` of promptci.yml names too."
    )


class OwnSettingsSection(ConfigSection):
    """What a prompt may have of its own wherever that is written."""

    gate: PromptGateSection = Field(default=PromptGateSection(), description="Keys of `gate` for this prompt.")
    judge: PromptJudgeSection = Field(default=PromptJudgeSection(), description="Keys of `judge` for this prompt.")


class PromptFileSection(OwnSettingsSection):
    """Section `promptci` of a prompt file."""

    provider: NamedEndpointSection = Field(
        default=NamedEndpointSection(), description="Which endpoint of promptci.yml answers this prompt."
    )


class OverrideSection(OwnSettingsSection):
    """What some prompts have of their own."""

    prompts: Annotated[list[str], BeforeValidator(accept_single)] = Field(
        description="Patterns as in `prompts.include`, or names of prompts.", min_length=1
    )
    provider: PromptProviderSection = Field(
        default=PromptProviderSection(), description="Keys of `provider` for these prompts."
    )
