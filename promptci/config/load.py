"""Text of a promptci.yml in, Config out; every mistake in it at once, with its line and the key that was meant."""

import difflib
from collections.abc import Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from promptci.config.model import Config, JudgeOptions, PromptPatterns
from promptci.config.policy import About, GateMode, GatePolicy, OnInconclusive, OnMissingGoldens
from promptci.config.run_limits import RunLimits
from promptci.config.schema import ConfigFile, GateSection
from promptci.errors import ConfigError, InputError, Problem
from promptci.files import strict_yaml
from promptci.files.lines import decode_utf8
from promptci.providers.options import ModelPrice, ProviderOptions


def load_config(data: bytes | None, path: str) -> Config:
    """Read a promptci.yml; None (no such file) and an empty file give the defaults.

    Raises
    ------
    ConfigError
        With every mistake in the file.
    """
    if data is None:
        return Config(present=False)
    try:
        document = strict_yaml.load(decode_utf8(data, path), path)
    except InputError as error:
        raise ConfigError(error.problems) from error
    value = {} if document.value is None else document.value
    if not isinstance(value, dict):
        raise ConfigError(
            [Problem(path=path, line=1, message="the file is not a map of sections", hint="Write `gate:` …")]
        )
    # An empty section (`gate:` with nothing under it) means its defaults.
    value = {
        key: {} if section is None and key in ConfigFile.model_fields else section for key, section in value.items()
    }
    try:
        return _config(ConfigFile.model_validate(value))
    except ValidationError as error:
        raise ConfigError([_problem(detail, document, path) for detail in error.errors()]) from error


def _config(file: ConfigFile) -> Config:
    run, gate, provider = file.run, file.gate, file.provider
    return Config(
        prompts=PromptPatterns(include=tuple(file.prompts.include), goldens=file.prompts.goldens),
        provider=ProviderOptions(
            kind=provider.kind,
            base_url=provider.base_url,
            api_key_env=provider.api_key_env,
            path=provider.path,
            timeout_s=provider.timeout,
            headers=provider.headers,
            models=provider.models,
            strip_reasoning=provider.strip_reasoning,
            prices={
                model: ModelPrice(input_usd=price.input_usd, output_usd=price.output_usd)
                for model, price in provider.prices.items()
            },
        ),
        run=RunLimits(
            repeats=1 if run.repeats == "auto" else run.repeats.initial,
            repeats_on_disagreement=None if run.repeats == "auto" else run.repeats.on_disagreement,
            auto_calls=run.auto_calls if run.repeats == "auto" else None,
            early_stop=run.early_stop,
            batch=run.batch,
            concurrency=None if run.concurrency == "auto" else run.concurrency,
            budget_usd=run.budget_usd,
            deadline_s=run.deadline,
            cache=run.cache or None,
            history=run.history or None,
        ),
        judge=JudgeOptions(
            model=file.judge.model,
            rubric=file.judge.rubric,
            embedding_model=file.judge.embedding_model or None,
            pairwise=file.judge.pairwise,
            probes=file.judge.probes,
            labels=file.judge.labels,
            min_kappa=file.judge.trust.min_kappa,
        ),
        gate=_gate_policy(gate),
        requests_per_day=file.traffic.requests_per_day,
        comment_template=file.report.comment_template,
    )


def _gate_policy(gate: GateSection) -> GatePolicy:
    return GatePolicy(
        mode=GateMode(gate.mode),
        about=About(gate.about),
        max_drop=gate.max_drop,
        alpha=gate.alpha,
        on_inconclusive=OnInconclusive(gate.on_inconclusive),
        on_missing_goldens=OnMissingGoldens(gate.on_missing_goldens),
        min_quality=gate.min_quality,
        max_cost_increase=gate.max_cost_increase,
        max_p95_increase=gate.max_p95_increase,
        max_error_rate=gate.max_error_rate,
    )


def _problem(detail: ErrorDetails, document: strict_yaml.YamlDocument, path: str) -> Problem:
    location = tuple(part for part in detail["loc"] if not _is_branch(part))
    key = ".".join(str(part) for part in location)
    if detail["type"] == "extra_forbidden":
        known = _keys(location[:-1])
        near = difflib.get_close_matches(str(location[-1]), known, n=1)
        fix = f"Did you mean `{near[0]}`?" if near else f"Known keys here: {', '.join(known)}."
        return Problem(path=path, line=document.line_of(location), message=f"unknown key `{key}`", hint=fix)
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    shown = repr(detail["input"])[:60]
    return Problem(
        path=path,
        line=document.line_of(location),
        message=f"`{key}` is {shown}, which cannot be used: {message}",
        hint="See the configuration page for what this key takes.",
    )


def _is_branch(part: int | str) -> bool:
    """Pydantic names the branch of a union in the location (`literal['auto']`, `constrained-int`): not a key."""
    return isinstance(part, str) and (
        part.endswith("]") or part in {"int", "str", "constrained-int", "decimal", "bool"}
    )


def _keys(location: Sequence[int | str]) -> list[str]:
    """Keys known at a place of the file."""
    annotation: Any = ConfigFile
    for part in location:
        if get_origin(annotation) is dict:  # its keys are the user's, such as the names of models
            annotation = get_args(annotation)[1]
        else:
            annotation = _section(annotation).model_fields[str(part)].annotation
    return list(_section(annotation).model_fields)


def _section(annotation: Any) -> type[BaseModel]:
    return next(a for a in (annotation, *get_args(annotation)) if isinstance(a, type) and issubclass(a, BaseModel))
