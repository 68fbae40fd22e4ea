"""Apply what single prompts have of their own: section `overrides`, and the section `promptci` of their files."""

from dataclasses import replace
from typing import Any

from promptci.config.find import find_config
from promptci.config.sections.prompt_override import PromptOverride, find_overrides
from promptci.errors import InputError
from promptci.git.snapshot import Snapshot
from promptci.lazy_import import lazy_import
from promptci.pipeline.collection.collected_run import CollectedRun, NamedJudge
from promptci.pipeline.collection.side_files import rubric
from promptci.prompts.model import Prompt
from promptci.runs.prompt_plan import PromptPlan

validate = lazy_import("promptci.config.validate")


def apply_prompt_settings(collected: CollectedRun, base: Snapshot | None, head: Snapshot, path: str) -> CollectedRun:
    """Return the run with the gate and the judge of each prompt, and a note on each prompt that has its own.

    Where there is a base revision, the section `promptci` counts as that revision has it: a change cannot loosen its
    own gate. Rubrics come from the revision of the configuration.
    """
    config, plans = collected.config, []
    by_prompt: dict[str, dict[str, Any]] = {}
    judges: dict[str, NamedJudge] = {}
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
        except InputError as error:
            problems += error.problems
            continue
        if gate:
            by_prompt[plan.name] = gate
        plans.append(_add_notes(plan, settings, has_base=base is not None))
    if problems and not plans:
        raise InputError(problems)
    gate_policy = replace(config.gate, by_prompt=by_prompt)
    return replace(
        collected,
        config=replace(config, gate=gate_policy),
        plans=tuple(plans),
        judges=judges,
        problems=tuple(problems),
    )


def _find_settings(plan: PromptPlan, collected: CollectedRun, base: Snapshot | None) -> list[PromptOverride]:
    """Return what applies to a prompt; of two that set one key, the later counts."""
    change = plan.change
    current = change.base or change.head
    overrides = [] if current is None else find_overrides(collected.config.overrides, current)
    proposed = _parse_section(change.head)
    written = proposed if base is None else _parse_section(change.base)
    return [*(override for override in overrides if override.gate or override.judge), *([written] if written else [])]


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
    return ", ".join(f"`{name}: {'null' if value is None else value}`" for name, value in values.items())
