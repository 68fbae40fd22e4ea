"""Plan one prompt: the cases that both versions are asked, and what the change did to each.

Base's golden cases, as they are at base, are what a changed prompt is tested by. The change's own new and edited cases
are asked too, and shown apart.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from promptci.files.image_file import IMAGES
from promptci.goldens.checks.unused_variables import find_unused_variables
from promptci.goldens.model import Assertion, Case
from promptci.goldens.pairing import CaseChange, CasePair, pair_cases
from promptci.pipeline.collection.prompt_version import PromptVersion
from promptci.prompts.evaluators import LlmEvaluator, StringEvaluator
from promptci.prompts.model import JINJA_SYNTAXES, Prompt
from promptci.prompts.template.filled_messages import CONVERSATION
from promptci.runs.prompt_plan import PlannedCase, PromptChange, PromptPlan, Status, Task, UnreachedChange

_STRING_ASSERTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    # GitHub's evaluators: `equals` trims the answer only, the other three ignore case.
    "equals": ("equals", {"trim": "response"}),
    "contains": ("icontains", {}),
    "startsWith": ("starts-with", {"ignore_case": True}),
    "endsWith": ("ends-with", {"ignore_case": True}),
}
EQUALS = (Assertion(type="equals"),)
ALWAYS_SENT = frozenset((CONVERSATION, IMAGES))
"""Variables of a case that are sent although no message names them."""
EDITED_SUFFIX = " (edited)"
"""Marks the id of head's version of a case that base has, too."""


def effective(case: Case, prompt: Prompt) -> Case:
    """Return the case with everything that its answer must satisfy.

    That is its own assertions and the prompt's evaluators; where there are neither, the answer must equal `expected`.
    """
    added = tuple(_to_assertion(evaluator) for evaluator in prompt.evaluators)
    if not (added or case.assertions) and case.expected is not None:
        added = EQUALS
    assertions = (*case.assertions, *added) if added else case.assertions  # which many cases may share
    return dataclasses.replace(case, assertions=assertions, question=prompt.last_user_message)


def plan_prompt(  # noqa: PLR0917 - both versions stand in the order in which they are read
    name: str, path: str, status: Status, base: PromptVersion | None, head: PromptVersion | None, reasons: Iterable[str]
) -> PromptPlan:
    """Return the plan for one prompt.

    A deleted prompt (`head` None) has no cases; for an added one (`base` None) all are new.
    """
    pairs = _pair_versions(base, head)
    is_changed = base is not None and head is not None and base.prompt.fingerprint != head.prompt.fingerprint
    change = PromptChange(
        name=name,
        path=path,
        status=status,
        base=None if base is None else base.prompt,
        head=None if head is None else head.prompt,
        removed_cases=tuple(pair.id for pair in pairs if pair.change is CaseChange.REMOVED),
        loosened_cases=tuple(pair.id for pair in pairs if pair.weakened),
        looser_cases=tuple(pair.id for pair in pairs if pair.is_looser),
        loosened_example=_describe_first_loosened(pairs),
        no_longer_critical=tuple(pair.id for pair in pairs if pair.lost_critical),
        removed_critical=tuple(pair.id for pair in pairs if pair.head is None and pair.base and pair.base.critical),
        why=tuple(reasons),
        goldens_paths=() if head is None else head.goldens.paths,
        missing_goldens=head is not None and not head.goldens.paths and not head.goldens.cases,
        notes=() if head is None else (*head.prompt.notes, *head.goldens.notes, *_note_unused_variables(head)),
    )
    cases = () if head is None else tuple(_plan_suite(pairs) if is_changed else _plan_head_cases(pairs))
    return PromptPlan(change=change, task=Task(cases=cases))


def _describe_first_loosened(pairs: Sequence[CasePair]) -> str:
    """Return what changed in the first case that is shown to be easier, else in the first that may be."""
    edited = [pair for pair in pairs if pair.weakened and pair.requirement_change]
    first = next((pair for pair in edited if pair.is_looser), edited[0] if edited else None)
    return f"{first.id}: {first.requirement_change}" if first is not None else ""


def _note_unused_variables(version: PromptVersion) -> list[str]:
    """Return a note on each variable of the cases that nothing uses, in prompts that may lack variables."""
    if all(message.syntax not in JINJA_SYNTAXES for message in version.prompt.messages):
        return []
    return [str(problem) for problem in find_unused_variables(version.goldens.cases, version.prompt.variables)]


def without_cases(plan: PromptPlan, unreached: UnreachedChange) -> PromptPlan:
    """Return the plan of a change that no golden case reaches: nothing is asked."""
    return PromptPlan(change=dataclasses.replace(plan.change, unreached=unreached), task=Task())


def _pair_versions(base: PromptVersion | None, head: PromptVersion | None) -> tuple[CasePair, ...]:
    variables = {name for version in (base, head) if version is not None for name in version.prompt.variables}
    return pair_cases(_effective_cases(base), _effective_cases(head), variables | ALWAYS_SENT)


def _effective_cases(version: PromptVersion | None) -> Sequence[Case]:
    return [] if version is None else [effective(case, version.prompt) for case in version.goldens.cases]


def _plan_suite(pairs: Iterable[CasePair]) -> Iterator[PlannedCase]:
    """Yield base's cases, whatever the change did to them, and the change's own new and edited cases apart."""
    pairs = list(pairs)
    yield from (
        PlannedCase(case=pair.base, kept=pair.change is CaseChange.SAME) for pair in pairs if pair.base is not None
    )
    taken = {pair.id for pair in pairs}
    for pair in pairs:
        if pair.head is None:
            continue
        if pair.change is CaseChange.CHANGED:
            case_id = f"{pair.id}{EDITED_SUFFIX}"
            while case_id in taken:
                case_id += EDITED_SUFFIX
            taken.add(case_id)
            yield PlannedCase(case=dataclasses.replace(pair.head, id=case_id), change="changed")
        elif pair.change is CaseChange.NEW:
            yield PlannedCase(case=pair.head, change="new")


def _plan_head_cases(pairs: Iterable[CasePair]) -> Iterator[PlannedCase]:
    """Yield head's cases: where the prompt is the same, the change can only make its goldens better or worse."""
    for pair in pairs:
        if pair.head is not None:
            yield PlannedCase(case=dataclasses.replace(pair.head, id=pair.id), change=pair.change.value)


def _to_assertion(evaluator: StringEvaluator | LlmEvaluator) -> Assertion:
    if isinstance(evaluator, StringEvaluator):
        kind, options = _STRING_ASSERTIONS[evaluator.operator]
        written = f"string: {evaluator.operator}"
        return Assertion(type=kind, value=evaluator.value, options=options, name=evaluator.name, evaluator=written)
    value = {
        "model": evaluator.model,
        "prompt": evaluator.prompt,
        "system_prompt": evaluator.system_prompt,
        "choices": [{"choice": choice.choice, "score": choice.score} for choice in evaluator.choices],
        "last_line": evaluator.last_line,
    }
    return Assertion(type="llm", value=value, name=evaluator.name, evaluator=evaluator.builtin or "llm")
