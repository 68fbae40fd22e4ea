"""Evaluators of a `.prompt.yml`: `string`, `llm` and `uses`."""

import difflib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from promptci.prompts import github_builtins, render
from promptci.prompts.formats.parse_context import KeyPath, ParseContext
from promptci.prompts.model import Choice, LlmEvaluator, StringEvaluator

KINDS = ("string", "llm", "uses")
LLM_KEYS = ("modelId", "prompt", "systemPrompt", "choices")
OPERATORS = ("equals", "contains", "startsWith", "endsWith")
Evaluator = StringEvaluator | LlmEvaluator


def parse_evaluators(value: Mapping[str, Any], found: ParseContext) -> tuple[Evaluator, ...]:
    """Give the evaluators of a prompt file."""
    written = [] if value.get("evaluators") is None else value["evaluators"]
    if not isinstance(written, list):
        found.add_problem(("evaluators",), "`evaluators` must be a list", "Write `- name: …`.")
        return ()
    read = (_one(item, ("evaluators", index), found) for index, item in enumerate(written))
    return tuple(evaluator for evaluator in read if evaluator is not None)


def _one(item: Any, place: KeyPath, found: ParseContext) -> Evaluator | None:
    kinds = [kind for kind in KINDS if isinstance(item, dict) and item.get(kind) is not None]
    if len(kinds) != 1:
        what = f"an evaluator has exactly one of `string`, `llm` and `uses`; this has {' and '.join(kinds) or 'none'}"
        found.add_problem(place, what, "GitHub's runner takes the first or stops; say which you mean.")
        return None
    kind = kinds[0]
    found.note_unknown_keys(item, ("name", *KINDS), "an evaluator")
    name = found.get_text(item, "name", place)
    inner = item[kind]
    if kind == "uses":
        return _builtin(name or "", str(inner), (*place, kind), found)
    if not isinstance(inner, dict):
        found.add_problem((*place, kind), f"`{kind}` must be a map", "See the page on prompt files.")
        return None
    return (_string if kind == "string" else _llm)(name or kind, inner, (*place, kind), found)


def _builtin(name: str, uses: str, place: KeyPath, found: ParseContext) -> Evaluator | None:
    evaluator = github_builtins.find_builtin_evaluator(uses)
    if evaluator is None:
        near = difflib.get_close_matches(uses, github_builtins.builtin_evaluator_names(), n=1)
        fix = (
            f"Did you mean `{near[0]}`?"
            if near
            else f"Known are {', '.join(github_builtins.builtin_evaluator_names())}."
        )
        found.add_problem(place, f"there is no evaluator `{uses}`", fix)
        return None
    return replace(evaluator, name=name) if name else evaluator


def _string(name: str, inner: dict[str, Any], place: KeyPath, found: ParseContext) -> Evaluator | None:
    given = [key for key in inner if inner[key] not in (None, "")]
    if len(given) != 1 or given[0] not in OPERATORS:
        what = f"`string` has exactly one of {', '.join(OPERATORS)}, with a text"
        found.add_problem(place, what, "GitHub's runner takes the first it knows; use one evaluator for each.")
        return None
    operator = given[0]
    operand = found.get_text(inner, operator, place)
    if operand is None:
        return None
    if operator == "equals" and operand != operand.strip():
        said = "begins or ends with a blank or line break, and an answer is compared without: it can never be equal"
        found.notes.append(f"Line {found.document.line_of((*place, operator))}: `equals` {said}.")
    return StringEvaluator(name=name, operator=operator, value=operand)


def _llm(name: str, inner: dict[str, Any], place: KeyPath, found: ParseContext) -> Evaluator | None:
    found.note_unknown_keys(inner, LLM_KEYS, "`llm`")
    missing = [key for key in ("modelId", "prompt") if not isinstance(inner.get(key), str) or not inner[key].strip()]
    if missing:
        found.add_problem(place, f"`llm` lacks {' and '.join(f'`{key}`' for key in missing)}", "Add it, as a text.")
    system = found.get_text(inner, "systemPrompt", place)
    if system and render.find_variables(system):
        line = found.document.line_of((*place, "systemPrompt"))
        found.notes.append(f"Line {line}: no variables are filled into `systemPrompt`, here as at GitHub.")
    choices = _choices(inner.get("choices"), (*place, "choices"), found)
    if missing or system is None or not choices:
        return None
    return LlmEvaluator(
        name=name, model=inner["modelId"], prompt=inner["prompt"], system_prompt=system or None, choices=choices
    )


def _choices(written: Any, place: KeyPath, found: ParseContext) -> tuple[Choice, ...]:
    if not isinstance(written, list) or not written:
        found.add_problem(
            place, "`choices` must list at least one choice", "Write `- choice: yes` and `score: 1` under it."
        )
        return ()
    choices: list[Choice] = []
    for index, item in enumerate(written):
        here = (*place, index)
        choice = _choice(item, here, found)
        if choice is None:
            what = "a choice has `choice`, a text, and `score`, a number from 0 to 1"
            found.add_problem(here, what, "Write `- choice: yes` and `score: 1` under it.")
        elif any(choice.choice.lower() == other.choice.lower() for other in choices):
            found.add_problem(here, f"the choice `{choice.choice}` stands twice", "Keep one of them.")
        else:
            choices.append(choice)
    return tuple(choices)


def _choice(item: Any, place: KeyPath, found: ParseContext) -> Choice | None:
    if not isinstance(item, dict):
        return None
    text, score = found.get_text(item, "choice", place), item.get("score")
    if not text or not text.strip() or isinstance(score, bool) or not isinstance(score, int | float):
        return None
    return Choice(choice=text, score=float(score)) if 0 <= score <= 1 else None
