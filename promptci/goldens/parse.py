"""One case as a map in, a Case out; shared by every format of golden files."""

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from promptci.errors import Problem
from promptci.goldens.model import Assertion, Case

CASE_KEYS = ("id", "vars", "expected", "assert", "tags", "critical", "cluster", "weight")
ASSERTION_KEYS = ("type", "value", "weight", "name")
MAX_ID_CHARS = 200

KeyPath = tuple[str | int, ...]
"""Keys and indexes that lead to a value within a case."""
FindLine = Callable[[KeyPath], int | None]


@dataclass(frozen=True, slots=True)
class _CaseContext:
    """Where a case stands, and what is wrong with it."""

    path: str
    line: int | None
    inner: FindLine | None
    problems: list[Problem]

    def line_of(self, place: KeyPath) -> int | None:
        return self.inner(place) if self.inner else self.line

    def wrong(self, place: KeyPath, what: str, fix: str) -> None:
        self.problems.append(Problem(path=self.path, line=self.line_of(place), message=what, hint=fix))


def parse_case(
    value: object, path: str, line: int | None, problems: list[Problem], inner: FindLine | None = None
) -> Case | None:
    """Read one case; None, and an entry in `problems` for each mistake, where it cannot be used.

    `inner` gives the line of a value within the case, where it may differ from the case's own.
    """
    before = len(problems)
    form = _CaseContext(path, line, inner, problems)
    if not isinstance(value, Mapping):
        form.wrong((), "a case is a map with `id` and `vars`", 'Write {"id": "…", "vars": {…}, "expected": "…"}.')
        return None
    _keys(value, form)
    found = Case(
        id=_parse_id(value.get("id"), form),
        vars=_variables(value.get("vars"), form),
        expected=value.get("expected"),
        assertions=_assertions(value.get("assert"), form),
        tags=_tags(value.get("tags"), form),
        critical=_critical(value.get("critical"), form),
        cluster=_cluster(value.get("cluster"), form),
        weight=_weight(value.get("weight"), form, ("weight",)),
        path=path,
        line=line,
    )
    return found if len(problems) == before else None


def is_case_id(value: object) -> bool:
    """Whether a value can name a case: a short text on one line."""
    return isinstance(value, str) and bool(value.strip()) and len(value) <= MAX_ID_CHARS and value.isprintable()


def _parse_id(value: object, form: _CaseContext) -> str:
    """Give the id as text; it pairs the case with itself at the other revision, so it cannot be left out."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and is_case_id(value):
        return value.strip()
    if value is None:
        form.wrong(("id",), "`id` is missing", "Give the case a name of its own that stays the same over time.")
    else:
        form.wrong(("id",), "`id` must be a short text on one line", "Write it like `late-parcel-2`.")
    return ""


def _keys(value: Mapping[str, Any], form: _CaseContext) -> None:
    for key in value:
        if key not in CASE_KEYS:
            near = difflib.get_close_matches(str(key), CASE_KEYS, n=1)
            fix = (
                f"Did you mean `{near[0]}`?"
                if near
                else f"Known are {', '.join(CASE_KEYS)}; variables go under `vars`."
            )
            form.wrong((key,), f"unknown key `{key}`", fix)


def _variables(value: object, form: _CaseContext) -> dict[str, Any]:
    if value is None or isinstance(value, Mapping):
        return dict(value or {})
    form.wrong(("vars",), "`vars` must be a map of variables", 'Write "vars": {"input": "…"}.')
    return {}


def _weight(value: object, form: _CaseContext, place: KeyPath) -> float:
    """Give the weight, 1 by default."""
    if value is None:
        return 1.0
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0:
        return float(value)
    form.wrong(place, "`weight` must be a number from 0", "Leave it out for 1.")
    return 1.0


def _tags(value: object, form: _CaseContext) -> tuple[str, ...]:
    tags = [] if value is None else [value] if isinstance(value, str) else value
    if isinstance(tags, list) and all(isinstance(tag, str) for tag in tags):
        return tuple(tags)
    form.wrong(("tags",), "`tags` must be a list of texts", 'Write "tags": ["short"].')
    return ()


def _critical(value: object, form: _CaseContext) -> bool:
    if not (value is None or isinstance(value, bool)):
        form.wrong(("critical",), "`critical` must be true or false", "Leave it out for false.")
    return value is True


def _cluster(value: object, form: _CaseContext) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    form.wrong(
        ("cluster",), "`cluster` must be a name", "Give the same name to cases that are variants of one question."
    )
    return None


def _assertions(value: object, form: _CaseContext) -> tuple[Assertion, ...]:
    if value is None:
        return ()
    if isinstance(value, Mapping):
        return _assertion(value, form, ("assert",))
    if isinstance(value, list) and value:
        return tuple(made for index, item in enumerate(value) for made in _assertion(item, form, ("assert", index)))
    fix = 'Write "assert": [{"type": "contains", "value": "…"}].'
    form.wrong(("assert",), "`assert` must be a list of assertions", fix)
    return ()


def _assertion(item: object, form: _CaseContext, place: KeyPath) -> tuple[Assertion, ...]:
    """Give the assertion, or nothing where it is none. Whether there is such a type is the business of scoring."""
    if not isinstance(item, Mapping) or not isinstance(item.get("type"), str):
        only = next(iter(item)) if isinstance(item, Mapping) and len(item) == 1 else "contains"
        kind = "contains" if only in ASSERTION_KEYS else only
        fix = f'Write {{"type": "{kind}", "value": "…"}}.'
        form.wrong(place, "an assertion is a map with `type`", fix)
        return ()
    name = item.get("name")
    if not isinstance(name, str | None):
        form.wrong((*place, "name"), "an assertion's `name` must be a text", "Write it in quotes.")
        name = None
    return (
        Assertion(
            type=item["type"],
            value=item.get("value"),
            options={key: option for key, option in item.items() if key not in ASSERTION_KEYS},
            weight=_weight(item.get("weight"), form, (*place, "weight")),
            name=name or "",
            line=None if form.inner is None else form.inner(place),
        ),
    )
