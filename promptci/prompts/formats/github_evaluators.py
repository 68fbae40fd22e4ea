"""Evaluators of a `.prompt.yml`: `string`, `llm` and `uses`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from promptci.prompts import github_builtins
from promptci.prompts.evaluators import Choice, LlmEvaluator, StringEvaluator
from promptci.prompts.formats.parse_context import KeyPath, ParseContext
from promptci.prompts.template import render
from promptci.wording import suggest

EVALUATOR_KINDS = ("string", "llm", "uses")
LLM_KEYS = ("modelId", "prompt", "systemPrompt", "choices")
OPERATORS = ("equals", "contains", "startsWith", "endsWith")
CHOICE_HINT = "Write `- choice: yes` and `score: 1` under it."
Evaluator = StringEvaluator | LlmEvaluator


def parse_evaluators(value: Mapping[str, Any], context: ParseContext) -> tuple[Evaluator, ...]:
    """Return the evaluators of a prompt file."""
    written = [] if value.get("evaluators") is None else value["evaluators"]
    if not isinstance(written, list):
        context.add_problem(("evaluators",), "`evaluators` must be a list", "Write `- name: …`.")
        return ()
    parsed = (_parse_evaluator(item, ("evaluators", index), context) for index, item in enumerate(written))
    return tuple(evaluator for evaluator in parsed if evaluator is not None)


def _parse_evaluator(item: Any, place: KeyPath, context: ParseContext) -> Evaluator | None:
    kinds = [kind for kind in EVALUATOR_KINDS if isinstance(item, dict) and item.get(kind) is not None]
    if len(kinds) != 1:
        written = " and ".join(f"`{kind}`" for kind in kinds) or "none"
        message = f"an evaluator must have exactly one of `string`, `llm` and `uses`; this one has {written}"
        context.add_problem(place, message, "Split it: one evaluator for each.")
        return None
    kind = kinds[0]
    context.check_keys(item, ("name", *EVALUATOR_KINDS), "an evaluator", place)
    name = context.get_text(item, "name", place)
    inner = item[kind]
    if kind == "uses":
        return _parse_builtin(name or "", str(inner), (*place, kind), context)
    if not isinstance(inner, dict):
        context.add_problem((*place, kind), f"`{kind}` must be a map", "See docs/prompt-files.md.")
        return None
    return (_parse_string if kind == "string" else _parse_llm)(name or kind, inner, (*place, kind), context)


def _parse_builtin(name: str, uses: str, place: KeyPath, context: ParseContext) -> Evaluator | None:
    evaluator = github_builtins.find_builtin_evaluator(uses)
    if evaluator is None:
        names = github_builtins.builtin_evaluator_names()
        hint = suggest(uses, names) or f"Use one of {', '.join(names)}."
        context.add_problem(place, f"unknown evaluator `{uses}`", hint)
        return None
    return replace(evaluator, name=name) if name else evaluator


def _parse_string(name: str, inner: dict[str, Any], place: KeyPath, context: ParseContext) -> Evaluator | None:
    set_keys = [key for key in inner if inner[key] not in (None, "")]
    if len(set_keys) != 1 or set_keys[0] not in OPERATORS:
        message = f"`string` must have exactly one of {', '.join(OPERATORS)}, with a text"
        context.add_problem(place, message, "Write one evaluator for each operator.")
        return None
    operator = set_keys[0]
    operand = context.get_text(inner, operator, place)
    if operand is None:
        return None
    if operator == "equals" and operand != operand.strip():
        text = "`equals` begins or ends with whitespace, which is trimmed from answers: no answer can be equal."
        context.add_note((*place, operator), text)
    context.note_unfilled_braces((*place, operator), operand)
    return StringEvaluator(name=name, operator=operator, value=operand)


def _parse_llm(name: str, inner: dict[str, Any], place: KeyPath, context: ParseContext) -> Evaluator | None:
    context.check_keys(inner, LLM_KEYS, "`llm`", place)
    missing = [key for key in ("modelId", "prompt") if not isinstance(inner.get(key), str) or not inner[key].strip()]
    if missing:
        context.add_problem(place, f"`llm` lacks {' and '.join(f'`{key}`' for key in missing)}", "Add it, as a text.")
    system = context.get_text(inner, "systemPrompt", place)
    if system and render.find_variables(system):
        context.add_note((*place, "systemPrompt"), "`systemPrompt` is sent without filling in variables.")
    if not missing:
        context.note_unfilled_braces((*place, "prompt"), inner["prompt"])
    choices = _parse_choices(inner.get("choices"), (*place, "choices"), context)
    if missing or system is None or not choices:
        return None
    return LlmEvaluator(
        name=name, model=inner["modelId"], prompt=inner["prompt"], system_prompt=system or None, choices=choices
    )


def _parse_choices(written: Any, place: KeyPath, context: ParseContext) -> tuple[Choice, ...]:
    if not isinstance(written, list) or not written:
        context.add_problem(place, "`choices` must list at least one choice", CHOICE_HINT)
        return ()
    choices: list[Choice] = []
    for index, item in enumerate(written):
        here = (*place, index)
        choice = _parse_choice(item, here, context)
        if choice is None:
            message = "a choice must have `choice`, a text, and `score`, a number from 0 to 1"
            context.add_problem(here, message, CHOICE_HINT)
        elif any(choice.choice.lower() == other.choice.lower() for other in choices):
            context.add_problem(here, f"the choice `{choice.choice}` is listed twice", "Keep one of them.")
        else:
            choices.append(choice)
    return tuple(choices)


def _parse_choice(item: Any, place: KeyPath, context: ParseContext) -> Choice | None:
    if not isinstance(item, dict):
        return None
    text, score = context.get_text(item, "choice", place), item.get("score")
    if not text or not text.strip() or isinstance(score, bool) or not isinstance(score, int | float):
        return None
    return Choice(choice=text, score=float(score)) if 0 <= score <= 1 else None
