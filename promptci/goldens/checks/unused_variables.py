"""Find variables of golden cases that nothing uses, while the prompt asks for others that no case sets."""

import re
from collections.abc import Collection, Iterator, Sequence

from promptci.errors import Problem
from promptci.goldens.model import Case
from promptci.wording import find_nearest, join_names

MAX_NAMES = 5
SENT_ANYWAY = frozenset(("messages", "images"))
"""Variables that are sent although no prompt names them."""
JUDGES = frozenset(("judge", "llm"))
"""Assertions of which a rubric may use any variable."""


def find_unused_variables(cases: Sequence[Case], variables: Collection[str]) -> Iterator[Problem]:
    """Yield a problem for each variable that only the cases name; `variables` are those of the prompt."""
    first_cases: dict[str, Case] = {}
    for case in cases:
        for name in case.vars:
            first_cases.setdefault(name, case)
    known = {*first_cases, *(name.split(".", maxsplit=1)[0] for name in first_cases)}
    unset = sorted(name for name in variables if known.isdisjoint((name, name.split(".", maxsplit=1)[0])))
    unused = [name for name in first_cases if name not in SENT_ANYWAY and name.split(".")[0] not in variables]
    if not unset or not unused:
        return
    assertions = dict.fromkeys(assertion for case in cases for assertion in map(repr, case.assertions))
    is_judged = any(assertion.type in JUDGES for case in cases for assertion in case.assertions)
    for name in unused:
        nearest = find_nearest(name, unset)
        word = re.compile(rf"\b{re.escape(name)}\b")
        if (is_judged and not nearest) or any(word.search(text) for text in assertions):
            continue
        others = join_names([f"`{other}`" for other in unset], MAX_NAMES)
        verb = "is" if len(unset) == 1 else "are"
        message = f"the variable `{name}` is used by no prompt text and no assertion, while {others} {verb} never set"
        hint = f"Did you mean `{nearest}`?" if nearest else "Rename it as the prompt has it, or remove it."
        yield Problem(path=first_cases[name].path, line=first_cases[name].line, message=message, hint=hint)
