"""`llm`: a model picks one of the choices of an evaluator, written as in a prompt file.

Four things differ from GitHub's runner. A choice counts only as a whole word or number: `1` is not found in `12` or
`4.1`. An evaluator that reasons first is read on its last line only. A reply without any choice is asked for once more
and then *unscored*, which is missing data, not a failure. `{{input}}` is the prompt's last user message where the case
has no variable of that name.

As there, the first declared choice wins where several occur and none is the whole reply; the reason says so.
"""

import re
from collections.abc import Mapping
from typing import Any

from promptci.goldens.model import Assertion, Case
from promptci.prompts.template import render
from promptci.providers.base import Request
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import Subject
from promptci.scoring.judges.reply_parser import ParsedReply

OPTIONS: frozenset[str] = frozenset()
MAX_COMPLETIONS = 10
"""Times that an evaluator's prompt may hold the answer, so that a long answer does not fill the memory."""
KEYS = ("model", "prompt", "system_prompt", "choices", "last_line")


def validate(assertion: Assertion, case: Case) -> str | None:
    """Require a model, a prompt whose variables the case has (except `completion`), and choices with scores."""
    value = assertion.value
    if not isinstance(value, Mapping) or not value.get("choices") or not value.get("prompt"):
        return "`value` must hold `model`, `prompt` and `choices`"
    for key in value:
        if key not in KEYS:
            return f"unknown key {base.quote(str(key))} in `value`. {base.suggest_name(str(key), KEYS)}"
    if not all(isinstance(value.get(key), str) and value[key].strip() for key in ("model", "prompt")):
        return "`model` and `prompt` in `value` must be texts"
    if not isinstance(value.get("system_prompt"), str | None):
        return "`system_prompt` in `value` must be a text"
    if not isinstance(value.get("last_line", False), bool):
        return "`last_line` in `value` must be true or false"
    if not isinstance(value["choices"], list) or not all(map(_is_choice, value["choices"])):
        return "each of `choices` in `value` must hold `choice`, a text, and `score`, a number from 0 to 1"
    if sum(name == "completion" for name in render.VARIABLE.findall(value["prompt"])) > MAX_COMPLETIONS:
        return f"`prompt` in `value` holds `{{{{completion}}}}` more than {MAX_COMPLETIONS} times"
    _fill_prompt(assertion, case, completion="")
    return None


def model_name(assertion: Assertion, override: str | None) -> str:
    """Return the model to ask: `judge.model` where set, as the endpoint may not have the evaluator's own model."""
    return override or str(assertion.value["model"])


def build_request(assertion: Assertion, subject: Subject, model: str | None = None) -> Request:
    """Build the request: the evaluator's prompt with the answer filled in, and its system prompt as written."""
    value = assertion.value
    system = [{"role": "system", "content": value["system_prompt"]}] if value.get("system_prompt") else []
    user = {"role": "user", "content": _fill_prompt(assertion, subject.case, completion=subject.text)}
    return Request(model=model_name(assertion, model), messages=(*system, user))


def _fill_prompt(assertion: Assertion, case: Case, *, completion: str) -> str:
    template = assertion.value["prompt"]
    variables = {**base.operand_variables(case), "completion": completion}
    if "input" not in variables and case.question is not None and "input" in render.find_variables(template):
        variables["input"] = render.render(case.question, case.vars, max_chars=render.MAX_MESSAGE_CHARS)
    return render.render(template, variables, max_chars=render.MAX_MESSAGE_CHARS + MAX_COMPLETIONS * len(completion))


def parse_reply(assertion: Assertion, text: str) -> ParsedReply:
    """Find the choice that the reply names."""
    choices: dict[str, float] = {}
    for choice in assertion.value["choices"]:
        choices.setdefault(str(choice["choice"]).strip().lower(), float(choice["score"]))
    answer = text.strip().lower()
    if assertion.value.get("last_line") and answer:
        answer = answer.splitlines()[-1].strip()
    if answer in choices:
        return ParsedReply(score=choices[answer], summary=f"chose {base.quote(answer)}")
    matches = [choice for choice in choices if _occurs_as_word(choice, answer)]
    if not matches:
        return ParsedReply(score=None, summary=f"no choice in {base.quote(text)}")
    several = f" (several choices matched in {base.quote(text)}; the first declared counts)" if matches[1:] else ""
    score = choices[matches[0]]
    return ParsedReply(score=score, summary=f"chose {base.quote(matches[0])}, worth {score:g}{several}")


def is_passing(assertion: Assertion, score: float) -> bool:
    """Return whether the score is above 0: as in GitHub's runner, the second of five grades passes."""
    return score > 0


def _is_choice(item: Any) -> bool:
    if not isinstance(item, Mapping) or isinstance(item.get("choice"), Mapping | list | None):
        return False
    score = base.to_finite_float(item.get("score"))
    return bool(str(item["choice"]).strip()) and score is not None and 0 <= score <= 1


def _occurs_as_word(choice: str, answer: str) -> bool:
    """Return whether a choice occurs by itself: not within a word, nor within a number such as 4.5."""
    return re.search(rf"(?<!\w)(?<!\d[.,]){re.escape(choice)}(?!\w)(?![.,]\d)", answer) is not None
