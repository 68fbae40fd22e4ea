"""Apply what single prompts have of their own: section `overrides`, and the section `promptci` of their files."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from promptci.config.find import find_config
from promptci.config.model import Config
from promptci.config.sections.prompt_override import PromptOverride, find_overrides
from promptci.errors import InputError, Problem
from promptci.git.snapshot import Snapshot
from promptci.lazy_import import lazy_import
from promptci.pipeline.collection.change_reasons import named_endpoint
from promptci.pipeline.collection.collected_run import CollectedRun, NamedJudge
from promptci.pipeline.collection.side_files import rubric
from promptci.prompts.model import Prompt
from promptci.providers.options import ProviderOptions
from promptci.runs.prompt_plan import PromptChange, PromptPlan

validate = lazy_import("promptci.config.validate")


def apply_prompt_settings(collected: CollectedRun, base: Snapshot | None, head: Snapshot, path: str) -> CollectedRun:
    """Return the run with gate, judge and endpoint of each prompt, and a note on each prompt that has its own.

    Where there is a base revision, the section `promptci` counts as that revision has it: a change cannot loosen its
    own gate, nor choose who is asked. Both versions of a prompt are asked at one endpoint. Rubrics come from the
    revision of the configuration.
    """
    config, plans = collected.config, []
    by_prompt: dict[str, dict[str, Any]] = {}
    judges: dict[str, NamedJudge] = {}
    endpoints: dict[str, ProviderOptions] = {}
    problems = list(collected.problems)
    source = base if base is not None and find_config(base, path) else head
    for plan in collected.plans:
        try:
            settings = _find_settings(plan, collected, base)
            gate = {key: value for setting in settings for key, value in setting.gate.items()}
            judge = {key: value for setting in settings for key, value in setting.judge.items()}
            if judge:
                model = judge.get("model", config.judge.model)
                text = rubric.load_rubric(source, judge["rubric"]) if "rubric" in judge else collected.rubric
                judges[plan.name] = NamedJudge(model=model, rubric=text)
            endpoint = _find_endpoint(settings, config, plan.change)
        except InputError as error:
            problems += error.problems
            continue
        if gate:
            by_prompt[plan.name] = gate
        if endpoint is not None:
            endpoints[endpoint.id] = endpoint
        plans.append(_add_notes(_set_endpoint(plan, endpoint), settings, has_base=base is not None))
    if problems and not plans:
        raise InputError(problems)
    gate_policy = replace(config.gate, by_prompt=by_prompt)
    return replace(
        collected,
        config=replace(config, gate=gate_policy),
        plans=tuple(plans),
        judges=judges,
        endpoints=endpoints,
        problems=tuple(problems),
        untested_settings=(*collected.untested_settings, *_list_edited_endpoints(collected, base)),
    )


def _find_settings(plan: PromptPlan, collected: CollectedRun, base: Snapshot | None) -> list[PromptOverride]:
    """Return what applies to a prompt; of two that set one key, the later counts."""
    change = plan.change
    current = change.base or change.head
    overrides = [] if current is None else find_overrides(collected.config.overrides, current)
    proposed = _parse_section(change.head)
    written = proposed if base is None else _parse_section(change.base)
    own = (override for override in overrides if override.gate or override.judge or override.endpoint)
    return [*own, *([written] if written else [])]


def _find_endpoint(settings: Sequence[PromptOverride], config: Config, change: PromptChange) -> ProviderOptions | None:
    """Return the endpoint of a prompt; None for that of all prompts. Raise InputError for one nobody described."""
    endpoint: ProviderOptions | None = None
    for setting in settings:
        if setting.endpoint_url is not None:
            url = setting.endpoint_url.rstrip("/")
            described = [options for options in reversed(config.endpoints) if options.kind == "openai"]
            known = {options.base_url.rstrip("/"): options for options in described}
            if url not in known:
                message = f"`promptci.provider.base_url` is {url}, and promptci.yml describes no such endpoint"
                hint = (
                    "Describe it in `overrides` of promptci.yml, with the variable of its key: a prompt file does not"
                    " choose where a key is sent."
                )
                prompt = change.base or change.head
                line = None if prompt is None else prompt.settings_line
                raise InputError([Problem(path=change.path, line=line, message=message, hint=hint)])
            endpoint = known[url]
        endpoint = setting.endpoint or endpoint
    return None if endpoint is config.provider else endpoint


def _set_endpoint(plan: PromptPlan, endpoint: ProviderOptions | None) -> PromptPlan:
    """Return the plan with both versions asked at this endpoint; no application answers there."""
    if endpoint is None:
        return plan
    base, head = (
        None if version is None else replace(version, endpoint=endpoint.id, application="")
        for version in (plan.change.base, plan.change.head)
    )
    return replace(plan, change=replace(plan.change, base=base, head=head))


def _list_edited_endpoints(collected: CollectedRun, base: Snapshot | None) -> list[str]:
    """Return the files whose section `promptci` the change makes name another endpoint, which nobody asked."""
    changes = [plan.change for plan in collected.plans if base is not None]
    edited = [
        change.path
        for change in changes
        if change.base and change.head and named_endpoint(change.base) != named_endpoint(change.head)
    ]
    return [f"promptci.provider of {path}" for path in edited]


def _parse_section(prompt: Prompt | None) -> PromptOverride | None:
    if prompt is None or prompt.settings is None:
        return None
    parsed: PromptOverride = validate.parse_prompt_settings(prompt.settings, prompt.path, prompt.settings_line)
    return parsed


def _add_notes(plan: PromptPlan, settings: list[PromptOverride], *, has_base: bool) -> PromptPlan:
    change = plan.change
    notes = [f"{plan.name}: {_describe(setting)}, from {setting.source}." for setting in settings]
    before, after = change.base and change.base.settings, change.head and change.head.settings
    if has_base and change.head is not None and before != after:
        verb = "adds" if before is None else "edits" if after is not None else "removes"
        notes.append(
            f"This change {verb} the section `promptci` of {change.path}. It counts once it is merged; until then the"
            " base revision decides."
        )
    return replace(plan, change=replace(change, notes=(*change.notes, *notes)))


def _describe(setting: PromptOverride) -> str:
    """Return the keys and values that a setting gives a prompt."""
    values = {f"gate.{name}": value for name, value in setting.gate.items()}
    values |= {f"judge.{name}": value for name, value in setting.judge.items()}
    if setting.endpoint is not None or setting.endpoint_url is not None:
        values["provider"] = setting.endpoint_url if setting.endpoint is None else setting.endpoint.label
    return ", ".join(f"`{name}: {'null' if value is None else value}`" for name, value in values.items())
