"""Find out whether a change of a prompt makes a difference to any request of its goldens."""

from collections import Counter

from promptci.files import canonical
from promptci.goldens.model import Case
from promptci.pipeline.collection.prompt_version import PromptVersion
from promptci.prompts.jinja.filters import TemplateError
from promptci.prompts.model import Prompt
from promptci.prompts.template import render
from promptci.prompts.template.filled_messages import fill_messages


def asks_the_same(base: PromptVersion, head: PromptVersion) -> bool:
    """Return whether both versions send the same requests, and require the same of the answers.

    So it is where `{{name}}` became `{{ name }}`, or a variable was renamed in prompt and goldens alike.
    """
    if not base.goldens.cases or len(base.goldens.cases) != len(head.goldens.cases):
        return False
    if _settings(base.prompt) != _settings(head.prompt):
        return False
    try:
        return _count_descriptions(base) == _count_descriptions(head)
    except (render.MissingVariable, render.MessageTooLong, TemplateError):
        return False


def _count_descriptions(version: PromptVersion) -> Counter[str]:
    return Counter(_describe(version.prompt, case) for case in version.goldens.cases)


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
