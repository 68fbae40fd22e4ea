"""Find out whether a change of a prompt makes a difference to any request of its goldens."""

from collections import Counter

from promptci.files import canonical
from promptci.goldens.model import Case, GoldenSet
from promptci.prompts import render
from promptci.prompts.model import Prompt


def asks_the_same(base: tuple[Prompt, GoldenSet], head: tuple[Prompt, GoldenSet]) -> bool:
    """Return whether both versions send the same requests, and require the same of the answers.

    So it is where `{{name}}` became `{{ name }}`, or a variable was renamed in prompt and goldens alike.
    """
    (base_prompt, base_set), (head_prompt, head_set) = base, head
    if not base_set.cases or len(base_set.cases) != len(head_set.cases):
        return False
    if _settings(base_prompt) != _settings(head_prompt):
        return False
    try:
        return Counter(_describe(base_prompt, case) for case in base_set.cases) == Counter(
            _describe(head_prompt, case) for case in head_set.cases
        )
    except render.MissingVariable:
        return False


def _settings(prompt: Prompt) -> list[object]:
    return [prompt.model, dict(prompt.parameters), prompt.response_format, prompt.json_schema, prompt.evaluators]


def _describe(prompt: Prompt, case: Case) -> str:
    """Return a digest of the request for a case and of what its answer must satisfy."""
    messages = [[message.role, render.render(message.content, case.vars)] for message in prompt.messages]
    requirements = [case.expected, [a.content for a in case.assertions], case.critical, case.weight, case.cluster]
    # Operands are templates over the variables, too.
    is_templated = any("{{" in repr(part) for part in (case.assertions, prompt.evaluators))
    return canonical.digest([messages, requirements, dict(case.vars) if is_templated else None])
