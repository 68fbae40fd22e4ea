"""Find out whether a change of a prompt makes a difference to any request of its goldens."""

from collections import Counter

from promptci.files import canonical
from promptci.goldens.model import Case
from promptci.pipeline.collection.prompt_version import PromptVersion
from promptci.prompts.jinja.filters import TemplateError
from promptci.prompts.model import Prompt
from promptci.prompts.template import render
from promptci.prompts.template.filled_messages import LEADING_ROLES, fill_messages


def asks_the_same(base: PromptVersion, head: PromptVersion) -> bool:
    """Return whether both versions send the same requests, and require the same of the answers.

    So it is where `{{name}}` became `{{ name }}`, or a variable was renamed in prompt and goldens alike.
    """
    if not base.goldens.cases or len(base.goldens.cases) != len(head.goldens.cases):
        return False
    if _settings(base.prompt) != _settings(head.prompt):
        return False
    try:
        return not _sends_another_instruction(base, head) and _have_equal_requests(base, head)
    except (render.MissingVariable, render.MessageTooLong, TemplateError):
        return False


def no_case_tells_apart(base: PromptVersion, head: PromptVersion) -> bool:
    """Return whether both prompts send the same for every golden case of either version, and base has cases."""
    if not base.goldens.cases or _settings(base.prompt) != _settings(head.prompt):
        return False
    try:
        return all(
            _describe(base.prompt, case) == _describe(head.prompt, case)
            for case in (*head.goldens.cases, *base.goldens.cases)
        )
    except (render.MissingVariable, render.MessageTooLong, TemplateError):
        return False


def _sends_another_instruction(base: PromptVersion, head: PromptVersion) -> bool:
    """Return whether base sends with each case an instruction without variables that head does not send with its first.

    Most edits are found so, by one case of thousands.
    """
    fixed = [
        message
        for message in base.prompt.messages
        if message.role in LEADING_ROLES and message.syntax in {"fill", "plain"} and not message.variables
    ]
    case = head.goldens.cases[0]
    sent = [(message["role"], message["content"]) for message in fill_messages(head.prompt.messages, case.vars)]
    return any((message.role, message.content) not in sent for message in fixed)


def _have_equal_requests(base: PromptVersion, head: PromptVersion) -> bool:
    """Return whether each request of base is one of head, as often; both have as many."""
    counts = Counter(_describe(base.prompt, case) for case in base.goldens.cases)
    for case in head.goldens.cases:
        description = _describe(head.prompt, case)
        if not counts[description]:
            return False
        counts[description] -= 1
    return True


def _settings(prompt: Prompt) -> list[object]:
    return [prompt.model, dict(prompt.parameters), prompt.response_format, prompt.json_schema, prompt.evaluators]


def _describe(prompt: Prompt, case: Case) -> str:
    """Return a digest of the request for a case and of what its answer must satisfy."""
    filled = fill_messages(prompt.messages, case.vars, case.image_files)
    messages = [[message["role"], message["content"]] for message in filled]
    requirements = [case.expected, [a.content for a in case.assertions], case.critical, case.weight, case.cluster]
    # Operands are templates over the variables, too.
    is_templated = any("{{" in repr(part) for part in (case.assertions, prompt.evaluators))
    return canonical.digest([messages, requirements, dict(case.vars) if is_templated else None])
