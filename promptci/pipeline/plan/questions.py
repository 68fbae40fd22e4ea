"""Build the questions to ask from two versions of a prompt and its goldens."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from promptci.errors import Problem
from promptci.files import canonical
from promptci.goldens.model import Case
from promptci.lazy_dataclass import dataclass
from promptci.prompts.jinja.filters import TemplateError
from promptci.prompts.model import Prompt
from promptci.prompts.template import render
from promptci.prompts.template.filled_messages import fill_messages
from promptci.providers.base import Request
from promptci.runs.model import Question
from promptci.runs.prompt_plan import Arm, PlannedCase, PromptPlan
from promptci.scoring.case_mistakes import CaseMistake, summarize_mistakes
from promptci.wording import find_nearest, join_names

MAX_NAMED_CASES = 3
_PLACEHOLDER = re.compile(r"\{\{[^{}]+\}\}")


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptQuestions:
    """What may be asked about one prompt."""

    questions: tuple[Question, ...]
    """In the order of asking."""
    problems: tuple[Problem, ...] = ()
    """Problems that prevent asking."""
    notes: tuple[str, ...] = ()


def plan_questions(plan: PromptPlan, times: Callable[[PlannedCase], int]) -> PromptQuestions:
    """Build the questions of one prompt.

    `times` returns how often a case may be asked of each version.
    Both versions are asked a case side by side, so that whatever happens to the provider happens to both; which comes
    first is drawn by a hash, the same in every run. A variable that head's prompt needs and a case lacks is a problem.
    Where only base's prompt lacks it (the change renamed the variable), base is not asked that case, and a note says
    so.
    """
    asked: list[Question] = []
    unasked: list[str] = []
    mistakes: list[CaseMistake] = []
    for planned in plan.task.cases:
        requests: dict[Arm, Request] = {}
        for arm, prompt in _arms(plan):
            try:
                requests[arm] = _request(plan.name, prompt, planned.case)
            except render.MissingVariable as missing:
                if arm is Arm.HEAD:
                    mistakes.append(_missing_variable(prompt, planned.case, missing.name))
                else:
                    unasked.append(planned.case.id)
            except render.MessageTooLong:
                mistakes.append(_too_long(prompt, planned.case))
            except TemplateError as error:
                mistakes.append(_unfillable(prompt, planned.case, str(error)))
        asked.extend(_side_by_side(plan.name, planned.case.id, requests, times(planned)))
    notes = []
    if unasked:
        which = "1 case, which lacks" if len(unasked) == 1 else f"{len(unasked)} cases, which lack"
        named = join_names(unasked, MAX_NAMED_CASES)
        notes.append(f"{plan.name}: the base version is not asked of {which} its variables ({named})")
    return PromptQuestions(questions=tuple(asked), problems=tuple(summarize_mistakes(mistakes)), notes=tuple(notes))


def _arms(plan: PromptPlan) -> Iterator[tuple[Arm, Prompt]]:
    if plan.change.base is not None:
        yield Arm.BASE, plan.change.base
    if plan.change.head is not None:
        yield Arm.HEAD, plan.change.head


def _request(name: str, prompt: Prompt, case: Case) -> Request:
    request = Request(
        model=prompt.model,
        messages=fill_messages(prompt.messages, case.vars, case.image_files),
        parameters=prompt.parameters,
        response_format=_response_format(prompt),
        application=prompt.application,
        endpoint=prompt.endpoint,
        case={"prompt": name, "case": case.id, "vars": case.vars} if prompt.application else None,
    )
    _ = request.key  # fills the messages in: a variable that is missing is found now
    return request


def _response_format(prompt: Prompt) -> Mapping[str, Any] | None:
    if prompt.response_format == "json_object":
        return {"type": "json_object"}
    if prompt.response_format == "json_schema":
        return {"type": "json_schema", "json_schema": dict(prompt.json_schema or {})}
    return None


def _side_by_side(prompt: str, case_id: str, requests: Mapping[Arm, Request], repeats: int) -> Iterator[Question]:
    for replicate in range(repeats):
        swap = int(canonical.digest([prompt, case_id, replicate])[0], 16) % 2
        for arm in sorted(requests, reverse=bool(swap)):
            yield Question(prompt=prompt, arm=arm, case_id=case_id, replicate=replicate, request=requests[arm])


def _missing_variable(prompt: Prompt, case: Case, variable: str) -> CaseMistake:
    if variable in _appended_variables(prompt) and case.vars:
        return _missing_user_message(prompt, case, variable)
    near = find_nearest(variable, case.vars)
    rename = f"If `{near}` is meant, rename it in the goldens, or in the prompt; else add" if near else "Add"
    return CaseMistake(
        case=case,
        line=case.line,
        text=f" has no variable `{variable}`, which {prompt.path} uses",
        hint=f"{rename} `{variable}` to the goldens, in a pull request of its own if base's cases lack it, or take it"
        " out of the prompt.",
    )


def _appended_variables(prompt: Prompt) -> set[str]:
    """Return the variables of a user message that follows the text of the file and does not stand in it."""
    last = prompt.messages[-1] if prompt.messages else None
    if not prompt.source or last is None or last.role != "user" or last.content in prompt.source:
        return set()
    return last.variables if _PLACEHOLDER.fullmatch(last.content) else set()


def _missing_user_message(prompt: Prompt, case: Case, variable: str) -> CaseMistake:
    own = next(iter(case.vars))
    text_variables = {name for message in prompt.messages[:-1] for name in message.variables}
    named_system = "system" in prompt.name.lower()
    if used := sorted(text_variables & case.vars.keys()):
        rename = f" or take `system` out of the name `{prompt.name}`," if named_system else ""
        hint = (
            f"The text has `{used[0]}` in it already. Set `prompts.user: false` in promptci.yml,{rename} so that"
            " nothing follows it."
        )
    else:
        hint = f'Rename `{own}` to `{variable}` in the goldens, or set `prompts.user: "{{{{{own}}}}}"` in promptci.yml.'
        if not named_system:
            hint += f" A text that uses `{{{{{own}}}}}` itself is the whole prompt, and nothing follows it."
    return CaseMistake(
        case=case,
        line=case.line,
        text=f" has no variable `{variable}`, which follows the text of {prompt.path} as the user message",
        hint=hint,
    )


def _too_long(prompt: Prompt, case: Case) -> CaseMistake:
    return CaseMistake(
        case=case,
        line=case.line,
        text=f" fills a message of {prompt.path} with more than {render.MAX_MESSAGE_CHARS // 2**20} million characters",
        hint="No model reads so much. Shorten the variable, or use it less often in the prompt.",
    )


def _unfillable(prompt: Prompt, case: Case, reason: str) -> CaseMistake:
    return CaseMistake(
        case=case,
        line=case.line,
        text=f" cannot be filled into {prompt.path}: {reason}",
        hint="Correct the template, or the case's variables.",
    )
