"""Find out whether two versions of a prompt mean the same, or differ where no golden case reaches the difference."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from promptci.lazy_import import lazy_import
from promptci.pipeline.collection import equal_requests
from promptci.prompts.model import JINJA_SYNTAXES
from promptci.prompts.template import render
from promptci.runs.prompt_plan import UnreachedChange

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from promptci.goldens.model import Case
    from promptci.pipeline.collection.prompt_version import PromptVersion
    from promptci.prompts.jinja import filters, structure
    from promptci.prompts.model import Message, Prompt
else:
    filters = lazy_import("promptci.prompts.jinja.filters")
    structure = lazy_import("promptci.prompts.jinja.structure")

Parts = tuple[Any, ...]
"""A message's text as texts, variables and, in Jinja, statements."""


def find_unreached_change(base: PromptVersion, head: PromptVersion, touched: Collection[str]) -> UnreachedChange | None:
    """Return what of a change no golden case reaches; None where both versions mean the same.

    That is, every request of the goldens is the same for both. `touched` are the files that the change edits.
    """
    if base.prompt.fingerprint == head.prompt.fingerprint:
        return None
    if not equal_requests.asks_the_same(base, head) and not equal_requests.no_case_tells_apart(base, head):
        return None
    if means_the_same(base, head):
        return None
    cases = (*base.goldens.cases, *head.goldens.cases)
    own = (head.prompt.path, *head.prompt.includes, *base.prompt.includes)
    return UnreachedChange(
        paths=tuple(path for path in dict.fromkeys(own) if path in touched) or own[:1],
        conditions=tuple(_list_conditions(head.prompt, base.prompt) or _list_conditions(base.prompt, head.prompt)),
        unset=tuple(name for name in _list_changed_names(base.prompt, head.prompt) if not _is_set(name, cases)),
    )


def means_the_same(base: PromptVersion, head: PromptVersion) -> bool:
    """Return whether two versions send the same for whatever variables, by the new names of renamed ones.

    A variable was renamed where the goldens of each version set it by the name that the version uses.
    """
    old, new = _list_names(base.prompt), _list_names(head.prompt)
    gone, added = ([name for name in names if name not in others] for names, others in ((old, new), (new, old)))
    if len(gone) != len(added):
        return False
    is_renamed = all(_is_set(name, base.goldens.cases) for name in gone)
    if not is_renamed or not all(_is_set(name, head.goldens.cases) for name in added):
        return False
    return _describe(base.prompt, {}) == _describe(head.prompt, dict(zip(added, gone, strict=True)))


def _describe(prompt: Prompt, names: Mapping[str, str]) -> list[Parts]:
    """Return what can change the messages that are sent."""
    return [
        (message.role, _name_syntax(message), _read_parts(message, names), repr([i.identity for i in message.images]))
        for message in prompt.messages
    ]


def _name_syntax(message: Message) -> str:
    return message.syntax if message.variables and message.syntax in JINJA_SYNTAXES else ""


def _read_parts(message: Message, names: Mapping[str, str]) -> Parts:
    if not message.variables:  # it is the same text in each request
        try:
            return (("TemplateData", message.fill({})),)
        except (render.MissingVariable, render.MessageTooLong, filters.TemplateError):
            return (("TemplateData", message.content),)
    if message.syntax in JINJA_SYNTAXES:
        return structure.read_structure(message.content, names)
    # Texts and names take turns.
    return tuple(
        ("Name", _rename(part, names)) if place % 2 else ("TemplateData", part)
        for place, part in enumerate(render.VARIABLE.split(message.content))
    )


def _rename(name: str, names: Mapping[str, str]) -> str:
    """Return the new name of `order.id`, where that or `order` was renamed."""
    root, *rest = name.split(".")
    return names.get(name) or ".".join((names.get(root, root), *rest))


def _list_names(prompt: Prompt) -> list[str]:
    """Return the variables of a prompt in the order in which they stand there."""
    used = {name for message in prompt.messages for name in message.variables}
    parts = [_read_parts(message, {}) for message in prompt.messages]
    return [name for name in dict.fromkeys(structure.list_names(tuple(parts))) if name in used]


def _list_conditions(prompt: Prompt, other: Prompt) -> list[str]:
    """Return the tags of the innermost conditions that only the first of two prompts has as they are."""
    texts, others = (
        "\n".join(message.content for message in each.messages if message.syntax in JINJA_SYNTAXES)
        for each in (prompt, other)
    )
    return structure.list_changed_conditions(texts, others)


def _list_changed_names(base: Prompt, head: Prompt) -> list[str]:
    """Return the variables of the statements that only one of the versions has."""
    counts = [Counter(part for message in each.messages for part in _read_parts(message, {})) for each in (head, base)]
    changed = ((counts[0] - counts[1]) + (counts[1] - counts[0])).keys()
    known = {*_list_names(head), *_list_names(base)}
    return [name for name in dict.fromkeys(structure.list_names(tuple(changed))) if name in known]


def _is_set(name: str, cases: Iterable[Case]) -> bool:
    """Return whether a golden case gives a variable a value, whole or in part."""
    names = {name, name.split(".", maxsplit=1)[0]}
    return any(key in names or key.startswith(f"{name}.") for case in cases for key in case.vars)
