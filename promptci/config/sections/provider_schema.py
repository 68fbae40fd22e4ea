"""Schema of who answers: section `provider` of promptci.yml, and the endpoints that some prompts have of their own."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from promptci.config.durations import parse_seconds
from promptci.config.sections.run_schema import Money
from promptci.config.sections.section import ConfigSection, accept_single
from promptci.config.trust import is_platform_token, is_variable_name
from promptci.prompts.formats.github_parameters import parse_default_parameters
from promptci.providers.http import endpoint


class PriceSection(ConfigSection):
    """Price of one model, in US dollars per million tokens."""

    input_usd: Money
    output_usd: Money
    cached_input_usd: Money | None = Field(
        default=None, description="Of input tokens that the endpoint had in its own cache; default: `input_usd`."
    )


class EndpointSection(ConfigSection):
    """What every provider has."""

    kind: str
    base_url: str = Field(default="https://api.openai.com/v1", description="Endpoint of kind `openai`.")
    api_key_env: str = Field(
        default="OPENAI_API_KEY",
        description="Environment variable with the API key. Tokens of GitHub and of cloud providers are refused.",
    )

    @field_validator("base_url")
    @classmethod
    def _check_address(cls, url: str) -> str:
        if problem := endpoint.find_address_problem(url):
            raise ValueError(f"{problem.message}. {problem.hint}")
        return url

    @field_validator("api_key_env")
    @classmethod
    def _check_key_variable(cls, name: str) -> str:
        if is_platform_token(name):
            raise ValueError("a platform's own token is never an API key: store the key in a secret of its own")
        if name and not is_variable_name(name):
            raise ValueError(
                "it must be the name of a variable, such as OPENAI_API_KEY. If this is the key itself, revoke it, and"
                " take it out of the file and of git's history"
            )
        return name

    path: str | None = Field(default=None, description="File of recorded answers, for kind `recorded`.")
    timeout: Annotated[float, BeforeValidator(parse_seconds)] = Field(
        default=60.0,
        description="Timeout of one attempt, such as 60s.",
        json_schema_extra={"type": ["string", "number"]},
    )
    headers: dict[str, str] = Field(
        default={}, description="Extra request headers; `${NAME}` in a value is the environment variable NAME."
    )
    models: dict[str, str] = Field(
        default={},
        description='Names that the endpoint knows models by, such as `openai/*: "*"`; `*` stands for the same text.',
    )
    strip_reasoning: bool = Field(default=True, description="Remove a leading `<think>` block from answers.")
    prices: dict[str, PriceSection] = Field(
        default={}, description="Prices by model, for models without a public list price."
    )


class ProviderSection(EndpointSection):
    """The model endpoint that answers."""

    kind: Literal["openai", "local", "recorded", "command"] = Field(
        default="openai",
        description="`openai`: any OpenAI-compatible endpoint. `local`: the embedded model. `recorded`: from a file."
        " `command`: the application itself; see docs/application.md.",
    )
    model: str | None = Field(default=None, description="Model of prompt files that name none.")
    defaults: dict[str, Any] = Field(
        default={}, description="Parameters such as `temperature: 0`, each for prompts that do not set it themselves."
    )

    @field_validator("env")
    @classmethod
    def _refuse_platform_variables(cls, names: list[str]) -> list[str]:
        if refused := next(filter(is_platform_token, names), None):
            raise ValueError(f"{refused} is a platform's own token, which no program gets")
        return names

    @field_validator("defaults")
    @classmethod
    def _check_defaults(cls, defaults: dict[str, Any]) -> dict[str, Any]:
        return parse_default_parameters(defaults)

    run: list[str] = Field(
        default=[], description="Program of kind `command` and its arguments, run without a shell in a clean copy."
    )
    env: list[str] = Field(default=[], description="Environment variables that this program gets.")
    sources: Annotated[list[str], BeforeValidator(accept_single)] = Field(
        default=["**"], description="Globs of the application's files: a change in one of them tests every prompt."
    )
    run_time: Annotated[float, BeforeValidator(parse_seconds)] = Field(
        default=600.0,
        description="Timeout of one run of this program, such as 10m.",
        json_schema_extra={"type": ["string", "number"]},
    )
    memory_mb: Annotated[int, Field(ge=64, le=1_000_000)] = Field(
        default=4096, description="Memory that this program may take: its address space, in MB."
    )
