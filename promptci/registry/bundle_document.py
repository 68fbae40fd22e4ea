"""The bundle that applications read: `promptci/bundle/v1`, which docs/bundle.md specifies."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from promptci.documents.document import Document
from promptci.errors import UsageError
from promptci.prompts.model import Message, Prompt

Text = Annotated[str, Field(min_length=1)]


class BundlePart(BaseModel):
    """A part of a bundle."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BundleMessage(BundlePart):
    """One message, as a template."""

    role: Text
    content: str


class BundlePrompt(BundlePart):
    """What a request is made of."""

    model: Text
    parameters: dict[str, Any]
    response_format: Literal["text", "json_object", "json_schema"]
    json_schema: dict[str, Any] | None = Field(description="Only with `json_schema`.")
    messages: Annotated[tuple[BundleMessage, ...], Field(min_length=1)]
    template: Literal["fill"] = "fill"


class BundleVersion(BundlePart):
    """One version of a prompt."""

    version: Text
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    prompt: BundlePrompt

    @model_validator(mode="after")
    def _matches(self) -> "BundleVersion":
        if _fingerprint(self.prompt) != self.fingerprint:
            raise ValueError(f"the content of {self.version} does not match its fingerprint")
        return self


class BundleEntry(BundlePart):
    """What runs of one prompt."""

    stable: BundleVersion
    canary: BundleVersion | None
    share: Annotated[int, Field(ge=0, le=10_000, description="Of users that get the canary, in 1/100 %.")]
    salt: Text


class BundleDocument(Document):
    """The released prompts of one environment."""

    MAX_BYTES: ClassVar[int] = 16 * 2**20
    HINT: ClassVar[str] = "Make it again with `promptci bundle`."

    schema_: Literal["promptci/bundle/v1"] = Field(default="promptci/bundle/v1", alias="schema")
    environment: Text
    serial: Annotated[int, Field(ge=0, description="Commits up to `commit` that touched `deployments/`.")]
    made: Text = Field(description="Time of `commit`, UTC.")
    commit: Text
    hash: Literal[1] = Field(default=1, description="Version of the hash that chooses the arm.")
    prompts: dict[str, BundleEntry]


def find_bundle_obstacle(prompt: Prompt) -> str | None:
    """Return why a bundle cannot hold a prompt, which keeps the bundle of its whole environment from being made."""
    if any(message.images for message in prompt.messages):
        return f"`{prompt.name}` has images, which a bundle cannot hold"
    if any(message.syntax != "fill" for message in prompt.messages):
        return f"`{prompt.name}` is a Jinja template, which a bundle cannot hold"
    return None


def bundle_version(version: str, prompt: Prompt) -> BundleVersion:
    """Return a version of a bundle.

    Raises
    ------
    UsageError
        For a Jinja template, which the runtime does not fill in, and for a prompt with images.
    """
    if obstacle := find_bundle_obstacle(prompt):
        hint = f"Take `{prompt.name}` out of `prompts` in the deployment file, and let the application read the file."
        raise UsageError(obstacle, hint)
    content = BundlePrompt(
        model=prompt.model,
        parameters=dict(prompt.parameters),
        response_format=prompt.response_format,  # type: ignore[arg-type]  # pydantic checks it
        json_schema=None if prompt.json_schema is None else dict(prompt.json_schema),
        messages=tuple(BundleMessage(role=message.role, content=message.content) for message in prompt.messages),
    )
    return BundleVersion(version=version, fingerprint=prompt.fingerprint, prompt=content)


def _fingerprint(prompt: BundlePrompt) -> str:
    return Prompt(
        name="",
        path="",
        model=prompt.model,
        parameters=prompt.parameters,
        response_format=prompt.response_format,
        json_schema=prompt.json_schema,
        messages=tuple(Message(role=message.role, content=message.content) for message in prompt.messages),
    ).fingerprint
