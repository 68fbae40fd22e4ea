"""Check promptci.yml against its schema: every mistake at once, with its line and the key that was probably meant.

It takes pydantic, which takes longer to import than a whole check without changes: see `plain_config`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from promptci.config.model import Config, JudgeOptions, PromptPatterns
from promptci.config.policy import About, GateMode, GatePolicy, OnInconclusive, OnMissingGoldens
from promptci.config.run_limits import RunLimits
from promptci.config.schema import ConfigFile, GateSection, JudgeSection, PromptsSection
from promptci.config.sections.alert_schema import build_alert_options
from promptci.config.sections.drift_schema import build_drift_options
from promptci.config.sections.mistakes import describe_mistake, join_alternatives
from promptci.config.sections.override_schema import (
    OverrideSection,
    OwnSettingsSection,
    PromptFileSection,
    PromptProviderSection,
)
from promptci.config.sections.prompt_override import PromptOverride
from promptci.config.sections.provider_schema import PriceSection, ProviderSection
from promptci.config.sections.review_schema import build_approval_rules, build_override_policy
from promptci.config.sections.run_schema import RunSection
from promptci.errors import ConfigError, Problem
from promptci.files import strict_yaml
from promptci.providers.options import ModelPrice, ProviderOptions
from promptci.wording import suggest


def validate_config(document: strict_yaml.YamlDocument, path: str) -> Config:
    """Return the configuration that a file holds, which must be a map.

    Raises
    ------
    ConfigError
        With every mistake in the file.
    """
    # An empty section (`gate:` with nothing under it) means its defaults.
    value = {
        key: section
        for key, section in document.value.items()
        if section is not None or key not in ConfigFile.model_fields or key == "version"
    }
    try:
        return _build_config(ConfigFile.model_validate(value))
    except ValidationError as error:
        raise ConfigError([_describe(detail, document, path) for detail in _relevant(error.errors())]) from error


def _build_config(file: ConfigFile) -> Config:
    provider = _build_provider_options(file.provider)
    return Config(
        prompts=_build_prompt_patterns(file.prompts),
        provider=provider,
        run=_build_run_limits(file.run),
        judge=_build_judge_options(file.judge),
        gate=_build_gate_policy(file.gate),
        explain_calls=file.explain.calls,
        overrides=tuple(_build_override(section, number, provider) for number, section in enumerate(file.overrides)),
        requests_per_day=file.traffic.requests_per_day,
        log_columns={str(name): column for name, column in file.log.columns.items()},
        comment_template=file.report.comment_template,
        full_texts=file.report.full_texts,
        alerts=build_alert_options(file.alerts),
        drift=build_drift_options(file.drift),
        site_url=file.site.url or "",
        merge_override=build_override_policy(file.merge_override),
        approvals=build_approval_rules(file.approvals),
    )


def _build_prompt_patterns(section: PromptsSection) -> PromptPatterns:
    return PromptPatterns(
        include=tuple(section.include),
        goldens=section.goldens,
        user="" if section.user is False else section.user,
        syntax=section.syntax,
        max_golden_mb=section.max_golden_mb,
    )


def _build_provider_options(section: ProviderSection) -> ProviderOptions:
    return ProviderOptions(
        kind=section.kind,
        base_url=section.base_url,
        api_key_env=section.api_key_env,
        model=section.model,
        defaults=section.defaults,
        path=section.path,
        run=tuple(section.run),
        env=tuple(section.env),
        sources=tuple(section.sources),
        run_time_s=section.run_time,
        memory_mb=section.memory_mb,
        timeout_s=section.timeout,
        headers=section.headers,
        models=section.models,
        strip_reasoning=section.strip_reasoning,
        prices=_build_prices(section.prices),
    )


def _build_prices(prices: Mapping[str, PriceSection]) -> dict[str, ModelPrice]:
    return {
        model: ModelPrice(
            input_usd=price.input_usd, output_usd=price.output_usd, cached_input_usd=price.cached_input_usd
        )
        for model, price in prices.items()
    }


def _build_endpoint(section: PromptProviderSection, common: ProviderOptions) -> ProviderOptions | None:
    """Return the endpoint that an item of `overrides` describes; None where it sets model and parameters at most.

    With `kind` or `base_url` it is an endpoint apart, which gets neither the key nor the headers of the common one.
    """
    named = section.model_fields_set - {"model", "defaults"}
    if not named:
        return None
    options = replace(common, kind="openai") if common.kind == "command" else common
    if not named.isdisjoint({"kind", "base_url"}):
        key = "" if "base_url" in named else section.api_key_env
        options = replace(
            options, kind=section.kind, base_url=section.base_url, api_key_env=key, path=None, headers={}, models={}
        )
    values = {name: getattr(section, name) for name in named - {"timeout", "prices"}}
    if "timeout" in named:
        values["timeout_s"] = section.timeout
    prices = {**options.prices, **_build_prices(section.prices)}
    return replace(options, **values, prices=prices, model=None, defaults={}, run=(), env=())


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


def parse_prompt_settings(value: Any, path: str, line: int) -> PromptOverride:
    """Return the section `promptci` of a prompt file; raise ConfigError with every mistake in it."""
    try:
        section = PromptFileSection.model_validate(value)
    except ValidationError as error:
        place = _FilePlace(line)
        described = [_describe(detail, place, path, PromptFileSection) for detail in _relevant(error.errors())]
        raise ConfigError(described) from error
    settings = _build_prompt_settings(section, f"the section `promptci` of {path}")
    return replace(settings, endpoint_url=section.provider.base_url)


def _build_prompt_settings(section: OwnSettingsSection, source: str) -> PromptOverride:
    gate, judge = section.gate, section.judge
    values = {name: getattr(gate, name) for name in sorted(gate.model_fields_set)}
    if "about" in values:
        values["about"] = About(gate.about)
    if "on_missing_goldens" in values:
        values["on_missing_goldens"] = OnMissingGoldens(gate.on_missing_goldens)
    named = {name: getattr(judge, name) for name in sorted(judge.model_fields_set)}
    return PromptOverride(gate=values, judge=named, source=source)


def _build_override(section: OverrideSection, number: int, provider: ProviderOptions) -> PromptOverride:
    return replace(
        _build_prompt_settings(section, f"`overrides[{number}]`"),
        prompts=tuple(section.prompts),
        model=section.provider.model,
        parameters=section.provider.defaults,
        endpoint=_build_endpoint(section.provider, provider),
    )


class _FilePlace(NamedTuple):
    """A section of another file, all of which is said to be on the line where it begins."""

    line: int

    def line_of(self, _place: Sequence[str | int]) -> int:
        return self.line


class _Lines(Protocol):
    def line_of(self, place: tuple[str | int, ...], /) -> int | None: ...


def _relevant(details: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Drop "a map is no word" if the map's own mistakes are listed; join "no word" and "no such number" to one."""
    details = join_alternatives(details, _location)
    places = [_location(detail) for detail in details]

    def is_explained(detail: ErrorDetails) -> bool:
        place = _location(detail)
        return any(len(other) > len(place) and other[: len(place)] == place for other in places)

    return [detail for detail in details if detail["type"] != "literal_error" or not is_explained(detail)]


def _describe(detail: ErrorDetails, document: _Lines, path: str, schema: type[BaseModel] = ConfigFile) -> Problem:
    location = _location(detail)
    key = ".".join(str(part) for part in location)
    if detail["type"] == "extra_forbidden":
        hint = _hint_for_unknown_key(location, schema)
        return Problem(path=path, line=document.line_of(location), message=f"unknown key `{key}`", hint=hint)
    shown, message = describe_mistake(detail)
    return Problem(
        path=path,
        line=document.line_of(location),
        message=f"`{key}` is {shown}, which is not valid: {message}",
        hint="See docs/configuration.md.",
    )


def _hint_for_unknown_key(location: Sequence[int | str], schema: type[BaseModel]) -> str:
    """Name the place where this key is known, else the nearest key here, else all keys here."""
    name = str(location[-1])
    elsewhere = [path for path in _paths_of_keys(schema) if path.rpartition(".")[2] == name]
    if elsewhere:
        return f"Did you mean `{'` or `'.join(elsewhere)}`?"
    known = _keys(location[:-1], schema)
    return suggest(name, known) or f"Known keys here: {', '.join(known)}."


def _paths_of_keys(section: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield every key of the file as a dotted path; what is below a user's own name or in a list is left out."""
    for name, field in section.model_fields.items():
        yield f"{prefix}{name}"
        annotation: Any = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from _paths_of_keys(annotation, f"{prefix}{name}.")


def _location(detail: ErrorDetails) -> tuple[int | str, ...]:
    return tuple(part for part in detail["loc"] if not _is_branch(part))


def _is_branch(part: int | str) -> bool:
    """Return whether pydantic means a branch of a union (`literal['auto']`, `constrained-int`) and not a key."""
    return isinstance(part, str) and (
        part.endswith("]") or part in {"int", "str", "constrained-int", "decimal", "bool"}
    )


def _keys(location: Sequence[int | str], schema: type[BaseModel]) -> list[str]:
    """Return the keys known at a place of the file."""
    annotation: Any = schema
    for part in location:
        if get_origin(annotation) in {dict, list}:  # its keys are the user's, such as the names of models
            annotation = get_args(annotation)[-1]
        else:
            annotation = _section(annotation).model_fields[str(part)].annotation
    return list(_section(annotation).model_fields)


def _section(annotation: Any) -> type[BaseModel]:
    return next(a for a in (annotation, *get_args(annotation)) if isinstance(a, type) and issubclass(a, BaseModel))
