"""Check promptci.yml against its schema: every mistake at once, with its line and the key that was probably meant.

It takes pydantic, which takes longer to import than a whole check without changes: see `plain_config`.
"""

import difflib
from collections.abc import Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from promptci.config.model import Config, JudgeOptions, PromptPatterns
from promptci.config.policy import About, GateMode, GatePolicy, OnInconclusive, OnMissingGoldens
from promptci.config.run_limits import RunLimits
from promptci.config.schema import ConfigFile, GateSection, JudgeSection, PromptsSection, ProviderSection
from promptci.config.sections.alert_schema import build_alert_options
from promptci.config.sections.drift_schema import build_drift_options
from promptci.config.sections.run_schema import RunSection
from promptci.errors import ConfigError, Problem
from promptci.files import strict_yaml
from promptci.providers.options import ModelPrice, ProviderOptions


def validate_config(document: strict_yaml.YamlDocument, path: str) -> Config:
    """Return the configuration that a file holds, which must be a map.

    Raises
    ------
    ConfigError
        With every mistake in the file.
    """
    # An empty section (`gate:` with nothing under it) means its defaults.
    value = {
        key: {} if section is None and key in ConfigFile.model_fields else section
        for key, section in document.value.items()
    }
    try:
        return _build_config(ConfigFile.model_validate(value))
    except ValidationError as error:
        raise ConfigError([_describe(detail, document, path) for detail in _relevant(error.errors())]) from error


def _build_config(file: ConfigFile) -> Config:
    return Config(
        prompts=_build_prompt_patterns(file.prompts),
        provider=_build_provider_options(file.provider),
        run=_build_run_limits(file.run),
        judge=_build_judge_options(file.judge),
        gate=_build_gate_policy(file.gate),
        requests_per_day=file.traffic.requests_per_day,
        log_columns={str(name): column for name, column in file.log.columns.items()},
        comment_template=file.report.comment_template,
        alerts=build_alert_options(file.alerts),
        drift=build_drift_options(file.drift),
    )


def _build_prompt_patterns(section: PromptsSection) -> PromptPatterns:
    return PromptPatterns(
        include=tuple(section.include),
        goldens=section.goldens,
        user="" if section.user is False else section.user,
        syntax=section.syntax,
    )


def _build_provider_options(section: ProviderSection) -> ProviderOptions:
    return ProviderOptions(
        kind=section.kind,
        base_url=section.base_url,
        api_key_env=section.api_key_env,
        model=section.model,
        defaults=section.defaults,
        path=section.path,
        timeout_s=section.timeout,
        headers=section.headers,
        models=section.models,
        strip_reasoning=section.strip_reasoning,
        prices={
            model: ModelPrice(input_usd=price.input_usd, output_usd=price.output_usd)
            for model, price in section.prices.items()
        },
    )


def _build_run_limits(section: RunSection) -> RunLimits:
    repeats = section.repeats
    return RunLimits(
        repeats=1 if repeats == "auto" else repeats.initial,
        repeats_on_disagreement=None if repeats == "auto" else repeats.on_disagreement,
        auto_calls=section.auto_calls if repeats == "auto" else None,
        early_stop=section.early_stop,
        batch=section.batch,
        concurrency=None if section.concurrency == "auto" else section.concurrency,
        budget_usd=section.budget_usd,
        deadline_s=section.deadline,
        assertion_time_s=section.assertion_time,
        cache=section.cache or None,
        memory=section.memory or None,
    )


def _build_judge_options(section: JudgeSection) -> JudgeOptions:
    return JudgeOptions(
        model=section.model,
        rubric=section.rubric,
        embedding_model=section.embedding_model or None,
        pairwise=section.pairwise,
        probes=section.probes,
        labels=section.labels,
        min_kappa=section.trust.min_kappa,
    )


def _build_gate_policy(section: GateSection) -> GatePolicy:
    return GatePolicy(
        mode=GateMode(section.mode),
        about=About(section.about),
        max_drop=section.max_drop,
        alpha=section.alpha,
        on_inconclusive=OnInconclusive(section.on_inconclusive),
        on_missing_goldens=OnMissingGoldens(section.on_missing_goldens),
        min_quality=section.min_quality,
        max_cost_increase=section.max_cost_increase,
        max_p95_increase=section.max_p95_increase,
        max_error_rate=section.max_error_rate,
    )


def _relevant(details: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Drop "a map is no word" if the map's own mistakes are listed."""
    places = [_location(detail) for detail in details]

    def is_explained(detail: ErrorDetails) -> bool:
        place = _location(detail)
        return any(len(other) > len(place) and other[: len(place)] == place for other in places)

    return [detail for detail in details if detail["type"] != "literal_error" or not is_explained(detail)]


def _describe(detail: ErrorDetails, document: strict_yaml.YamlDocument, path: str) -> Problem:
    location = _location(detail)
    key = ".".join(str(part) for part in location)
    if detail["type"] == "extra_forbidden":
        known = _keys(location[:-1])
        close = difflib.get_close_matches(str(location[-1]), known, n=1)
        hint = f"Did you mean `{close[0]}`?" if close else f"Known keys here: {', '.join(known)}."
        return Problem(path=path, line=document.line_of(location), message=f"unknown key `{key}`", hint=hint)
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    shown = repr(detail["input"])[:60]
    return Problem(
        path=path,
        line=document.line_of(location),
        message=f"`{key}` is {shown}, which is not valid: {message}",
        hint="See docs/configuration.md.",
    )


def _location(detail: ErrorDetails) -> tuple[int | str, ...]:
    return tuple(part for part in detail["loc"] if not _is_branch(part))


def _is_branch(part: int | str) -> bool:
    """Return whether pydantic means a branch of a union (`literal['auto']`, `constrained-int`) and not a key."""
    return isinstance(part, str) and (
        part.endswith("]") or part in {"int", "str", "constrained-int", "decimal", "bool"}
    )


def _keys(location: Sequence[int | str]) -> list[str]:
    """Return the keys known at a place of the file."""
    annotation: Any = ConfigFile
    for part in location:
        if get_origin(annotation) in {dict, list}:  # its keys are the user's, such as the names of models
            annotation = get_args(annotation)[-1]
        else:
            annotation = _section(annotation).model_fields[str(part)].annotation
    return list(_section(annotation).model_fields)


def _section(annotation: Any) -> type[BaseModel]:
    return next(a for a in (annotation, *get_args(annotation)) if isinstance(a, type) and issubclass(a, BaseModel))
