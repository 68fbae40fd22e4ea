"""Evaluators of a `.prompt.yml`: `string`, `llm` and `uses`."""

import math
from collections.abc import Mapping
from typing import Any

from promptci.prompts import builtins
from promptci.prompts.formats.findings import Findings
from promptci.prompts.model import Choice, LlmEvaluator, StringEvaluator

OPERATORS = ("equals", "contains", "startsWith", "endsWith")
Evaluator = StringEvaluator | LlmEvaluator


def evaluators(value: Mapping[str, Any], found: Findings) -> tuple[Evaluator, ...]:
    """Give the evaluators of a prompt file."""
    written = value.get("evaluators") or []
    if not isinstance(written, list):
        found.wrong(("evaluators",), "`evaluators` must be a list", "Write `- name: …`.")
        return ()
    read = (_one(item, ("evaluators", index), found) for index, item in enumerate(written))
    return tuple(evaluator for evaluator in read if evaluator is not None)


def _one(item: Any, place: tuple[str | int, ...], found: Findings) -> Evaluator | None:
    kinds = [kind for kind in ("string", "llm", "uses") if isinstance(item, dict) and item.get(kind) is not None]
    if len(kinds) != 1:
        what = "an evaluator has exactly one of `string`, `llm` and `uses`"
        found.wrong(place, what, "GitHub's runner takes the first or stops; say which you mean.")
        return None
    kind = kinds[0]
    name = str(item.get("name") or kind)
    inner = item[kind]
    if kind == "uses":
        return _builtin(str(inner), (*place, kind), found)
    if not isinstance(inner, dict):
        found.wrong((*place, kind), f"`{kind}` must be a map", "See the page on prompt files.")
        return None
    return (_string if kind == "string" else _llm)(name, inner, (*place, kind), found)


def _builtin(name: str, place: tuple[str | int, ...], found: Findings) -> Evaluator | None:
    evaluator = builtins.find(name)
    if evaluator is None:
        found.wrong(place, f"there is no evaluator `{name}`", f"Known are {', '.join(builtins.known())}.")
    return evaluator


def _string(name: str, inner: dict[str, Any], place: tuple[str | int, ...], found: Findings) -> Evaluator | None:
    set_ = [key for key in inner if inner[key] not in (None, "")]
    if len(set_) != 1 or set_[0] not in OPERATORS:
        what = f"`string` has exactly one of {', '.join(OPERATORS)}, with a text"
        found.wrong(place, what, "GitHub's runner takes the first it knows; use one evaluator for each.")
        return None
    operand = inner[set_[0]]
    if isinstance(operand, dict | list):
        found.wrong((*place, set_[0]), f"`{set_[0]}` must be a text", "Write it in quotes.")
        return None
    return StringEvaluator(name=name, operator=set_[0], value=str(operand))


def _llm(name: str, inner: dict[str, Any], place: tuple[str | int, ...], found: Findings) -> Evaluator | None:
    missing = [key for key in ("modelId", "prompt") if not isinstance(inner.get(key), str) or not inner[key].strip()]
    if missing:
        found.wrong(place, f"`llm` lacks {' and '.join(f'`{key}`' for key in missing)}", "Add it, as a text.")
        return None
    system = inner.get("systemPrompt")
    if system is not None and not isinstance(system, str):
        found.wrong((*place, "systemPrompt"), "`systemPrompt` must be a text", "Write it in quotes.")
        return None
    choices = _choices(inner.get("choices"), (*place, "choices"), found)
    if not choices:
        return None
    return LlmEvaluator(
        name=name, model=inner["modelId"], prompt=inner["prompt"], system_prompt=system, choices=choices
    )


def _choices(written: Any, place: tuple[str | int, ...], found: Findings) -> tuple[Choice, ...]:
    if not isinstance(written, list) or not written:
        found.wrong(place, "`choices` must list at least one choice", "Write `- choice: yes` and `score: 1` under it.")
        return ()
    choices = []
    for index, item in enumerate(written):
        score = item.get("score") if isinstance(item, dict) else None
        text = item.get("choice") if isinstance(item, dict) else None
        number = isinstance(score, int | float) and not isinstance(score, bool) and math.isfinite(score)
        if isinstance(text, dict | list) or text in (None, "") or not number or not 0 <= float(score or 0) <= 1:
            what = "a choice has `choice`, a text, and `score`, a number from 0 to 1"
            found.wrong((*place, index), what, "Write `- choice: yes` and `score: 1` under it.")
            continue
        choices.append(Choice(choice=str(text), score=float(score or 0)))
    return tuple(choices)
