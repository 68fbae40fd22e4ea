"""Parse a deployment file, and write a new share into its text without changing the rest."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from promptci.errors import ConfigError, InputError, Problem
from promptci.files import strict_yaml
from promptci.files.lines import decode_utf8
from promptci.lazy_dataclass import dataclass
from promptci.rollout.policy import COST, ERRORS, LATENCY, QUALITY, SIGNALS, CanaryPolicy
from promptci.rollout.schema import DeploymentFile
from promptci.wording import suggest


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployed:
    """The deployed versions of one prompt."""

    prompt: str
    stable: str
    canary: str | None = None
    share: float = 0.0
    """Of the canary, in percent."""


def shorten_version(prompt: str, version: str) -> str:
    """Return a version without the part of its tag that names the prompt: `v1.2.0`."""
    return version.removeprefix(f"prompts/{prompt}/")


def list_versions(deployed: Deployed | None) -> list[str]:
    """Return the versions that run, shortened: the stable one, and the canary."""
    if deployed is None:
        return []
    versions = (deployed.stable, deployed.canary)
    return [shorten_version(deployed.prompt, version) for version in versions if version is not None]


def describe_deployed(deployed: Deployed) -> str:
    """Return what runs, in words: `v1.2.0, canary v1.3.0 for 5%`."""
    stable = shorten_version(deployed.prompt, deployed.stable)
    if deployed.canary is None:
        return stable
    return f"{stable}, canary {shorten_version(deployed.prompt, deployed.canary)} for {deployed.share:g}%"


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """A whole deployment file, defaults filled in."""

    prompts: tuple[Deployed, ...]
    policy: CanaryPolicy


def load(data: bytes, path: str) -> Deployment:
    """Read a deployment file.

    Raises
    ------
    ConfigError
        With every mistake in the file.
    """
    document = _document(data, path)
    try:
        file = DeploymentFile.model_validate(document.value)
    except ValidationError as error:
        raise ConfigError([_problem(detail, document, path) for detail in error.errors()]) from error
    deployed = tuple(_deployed(name, section) for name, section in file.prompts.items())
    same = [prompt.prompt for prompt in deployed if prompt.canary == prompt.stable]
    if same:
        fix = "Give the canary the version that is to be tried."
        raise ConfigError(
            [
                Problem(path=path, line=document.line_of(("prompts", name, "canary")), message=message, hint=fix)
                for name in same
                for message in [f"stable and canary of `{name}` are the same version"]
            ]
        )
    return Deployment(prompts=deployed, policy=_policy(file))


def with_share(data: bytes, path: str, prompt: str, share: float) -> bytes:
    """Return the file with another share, and everything else, comments too, byte for byte as it was.

    Raises
    ------
    InputError
        If the share is not a plain number on its key's line.
    """
    document = _document(data, path)
    where = ("prompts", prompt, "canary", "share")
    number = document.line_of(where)
    written = document.scalar_text_of(where) or ""
    lines = data.split(b"\n")
    # The key may be quoted, and the map be on one line; the number is matched as a whole.
    pattern = rb"(\bshare[\"']?[ \t]*:[ \t]*)" + re.escape(written.encode()) + rb"(?![^\s,}#])"
    changed, count = re.subn(pattern, rb"\g<1>" + f"{share:g}".encode(), lines[number - 1])
    new = b"\n".join([*lines[: number - 1], changed, *lines[number:]])
    if count != 1 or _shares(load(new, path)) != {**_shares(load(data, path)), prompt: share}:
        fix = f"Write `share: {written}` on a line of its own."
        raise InputError([Problem(path=path, line=number, message="the share cannot be changed in place", hint=fix)])
    return new


def _shares(deployment: Deployment) -> dict[str, float]:
    return {deployed.prompt: deployed.share for deployed in deployment.prompts}


def _document(data: bytes, path: str) -> strict_yaml.YamlDocument:
    try:
        document = strict_yaml.load(decode_utf8(data, path), path)
    except InputError as error:
        raise ConfigError(error.problems) from error
    if not isinstance(document.value, dict):
        fix = "Write `prompts:` and under it each prompt's `stable:` version."
        raise ConfigError([Problem(path=path, line=1, message="the file is not a map of sections", hint=fix)])
    return document


def _deployed(name: str, section: Any) -> Deployed:
    if section.canary is None:
        return Deployed(prompt=name, stable=section.stable)
    return Deployed(
        prompt=name, stable=section.stable, canary=section.canary.version, share=float(section.canary.share)
    )


def _policy(file: DeploymentFile) -> CanaryPolicy:
    policy = file.policy
    limits = {
        QUALITY: policy.max_quality_drop,
        ERRORS: policy.max_error_rise,
        LATENCY: policy.max_slow_rise,
        COST: policy.max_cost_increase,
        SIGNALS: policy.max_complaint_rise,
    }
    return CanaryPolicy(
        steps=tuple(float(step) for step in file.steps),
        alpha=policy.alpha,
        promote_alpha=policy.promote_alpha,
        min_requests=policy.min_requests,
        min_time_s=policy.min_time,
        max_time_s=policy.max_time,
        lag_s=policy.lag,
        stale_s=policy.stale,
        per_user=policy.unit == "user",
        limits=tuple((name, limit) for name, limit in limits.items() if limit is not None),
    )


def _problem(detail: ErrorDetails, document: strict_yaml.YamlDocument, path: str) -> Problem:
    location = detail["loc"]
    key = ".".join(str(part) for part in location) or "the file"
    line = document.line_of(location)
    if detail["type"] == "extra_forbidden":
        known = _keys(location[:-1])
        fix = suggest(str(location[-1]), known) or f"Known keys here: {', '.join(known)}."
        return Problem(path=path, line=line, message=f"unknown key `{key}`", hint=fix)
    if detail["type"] == "missing":
        return Problem(path=path, line=line, message=f"`{key}` is missing", hint="Add it.")
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    shown = "" if isinstance(detail["input"], Mapping) else f" is {repr(detail['input'])[:60]}, which"
    text = f"`{key}`{shown} cannot be used: {message}"
    return Problem(path=path, line=line, message=text, hint="See the page on canaries for what this key takes.")


def _keys(location: Sequence[int | str]) -> list[str]:
    """Return the valid keys at a location in the file."""
    model: Any = DeploymentFile
    for depth, part in enumerate(location):
        if depth == 1 and location[0] == "prompts":
            continue  # the prompt's own name
        annotation = model.model_fields[part].annotation
        models = (annotation, *get_args(annotation))
        model = next(a for a in models if isinstance(a, type) and issubclass(a, BaseModel))
    return list(model.model_fields)
