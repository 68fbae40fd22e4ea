"""Plans of prompts, written as one list of fields."""

from dataclasses import fields
from typing import Any

from promptci.runs.prompt_plan import PromptChange, PromptPlan, Task

TASK_FIELDS = {field.name for field in fields(Task)}


def prompt_plan(**values: Any) -> PromptPlan:
    """Return the plan with these fields of PromptChange and Task."""
    task = {key: value for key, value in values.items() if key in TASK_FIELDS}
    change = {key: value for key, value in values.items() if key not in TASK_FIELDS}
    return PromptPlan(change=PromptChange(**change), task=Task(**task))
