"""Pair the cases of both revisions of a prompt, and say what the change did to each."""

import dataclasses
from collections.abc import Iterable
from typing import Any

from promptci.files import canonical
from promptci.goldens.model import Assertion, Case, GoldenSet
from promptci.prompts.model import LlmEvaluator, Prompt, StringEvaluator
from promptci.runs.model import PlannedCase, PromptPlan, Status

Version = tuple[Prompt, GoldenSet]
"""A prompt and its goldens at one revision."""

_STRING_ASSERTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    # GitHub's evaluators: `equals` is exact but for the answer's outer blanks, the other three ignore case.
    "equals": ("equals", {"trim": "response"}),
    "contains": ("icontains", {}),
    "startsWith": ("starts-with", {"ignore_case": True}),
    "endsWith": ("ends-with", {"ignore_case": True}),
}
EQUALS = (Assertion(type="equals"),)


def effective(case: Case, prompt: Prompt) -> Case:
    """Give the case with all that its answer must satisfy.

    These are its own assertions and the prompt's evaluators; where there are neither, `expected` is to be equalled.
    """
    more = tuple(_assertion(evaluator) for evaluator in prompt.evaluators)
    if not (more or case.assertions) and case.expected is not None:
        more = EQUALS
    return dataclasses.replace(case, assertions=(*case.assertions, *more)) if more else case


def plan_prompt(  # noqa: PLR0917 - both versions stand in the order in which they are read
    name: str, path: str, status: Status, base: Version | None, head: Version | None, why: Iterable[str]
) -> PromptPlan:
    """Say what will be asked about one prompt: head's cases, each with what the change did to it.

    A deleted prompt (`head` None) has no cases; for an added one (`base` None) all are new.
    """
    before = {} if base is None else {case.id: effective(case, base[0]) for case in base[1].cases}
    after = {} if head is None else {case.id: effective(case, head[0]) for case in head[1].cases}
    return PromptPlan(
        name=name,
        path=path,
        status=status,
        base=None if base is None else base[0],
        head=None if head is None else head[0],
        cases=tuple(PlannedCase(case=case, change=_change(before.get(case.id), case)) for case in after.values()),
        removed_cases=() if head is None else tuple(case_id for case_id in before if case_id not in after),
        loosened_cases=tuple(i for i, case in after.items() if i in before and _may_be_easier(before[i], case)),
        why=tuple(why),
        goldens_paths=() if head is None else head[1].paths,
        missing_goldens=head is not None and not head[1].paths and not head[1].cases,
        notes=() if head is None else (*head[0].notes, *head[1].notes),
    )


def _assertion(evaluator: StringEvaluator | LlmEvaluator) -> Assertion:
    if isinstance(evaluator, StringEvaluator):
        kind, options = _STRING_ASSERTIONS[evaluator.operator]
        return Assertion(type=kind, value=evaluator.value, options=options, name=evaluator.name)
    value = {
        "model": evaluator.model,
        "prompt": evaluator.prompt,
        "system_prompt": evaluator.system_prompt,
        "choices": [{"choice": choice.choice, "score": choice.score} for choice in evaluator.choices],
        "last_line": evaluator.last_line,
    }
    return Assertion(type="llm", value=value, name=evaluator.name)


def _change(before: Case | None, after: Case) -> str:
    if before is None:
        return "new"
    return "same" if before.digest == after.digest else "changed"


def _may_be_easier(before: Case, after: Case) -> bool:
    """Tell whether the same input is now judged by another measure, or is no longer critical."""
    same_input = canonical.digest(dict(before.vars)) == canonical.digest(dict(after.vars))
    return same_input and (before.digest != after.digest or (before.critical and not after.critical))
