"""One case as a map in, a Case out; shared by every format of golden files."""

import difflib
import math
from collections.abc import Mapping, Sequence

from promptci.errors import Problem
from promptci.goldens.model import Assertion, Case

KEYS = ("id", "vars", "expected", "assert", "tags", "critical", "cluster", "weight")
ASSERTION_KEYS = ("type", "value", "weight", "name")


class _WrongError(Exception):
    """One key of a case cannot be used."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix


def case(value: object, path: str, line: int | None, problems: list[Problem]) -> Case | None:
    """Read one case; None and an entry in `problems` where it cannot be used."""
    try:
        return _case(value, path, line)
    except _WrongError as wrong:
        problems.append(Problem(path=path, line=line, what=wrong.what, fix=wrong.fix))
        return None


def _case(value: object, path: str, line: int | None) -> Case:
    if not isinstance(value, Mapping):
        raise _WrongError("a case is a map with `id` and `vars`", 'Write {"id": "…", "vars": {…}, "expected": "…"}.')
    for key in value:
        if key not in KEYS:
            near = difflib.get_close_matches(str(key), KEYS, n=1)
            fix = f"Did you mean `{near[0]}`?" if near else f"Known are {', '.join(KEYS)}; variables go under `vars`."
            raise _WrongError(f"unknown key `{key}`", fix)
    variables = value.get("vars")
    if variables is not None and not isinstance(variables, Mapping):
        raise _WrongError("`vars` must be a map of variables", 'Write "vars": {"input": "…"}.')
    return Case(
        id=identifier(value.get("id")),
        vars=dict(variables or {}),
        expected=value.get("expected"),
        assertions=_assertions(value.get("assert"), line),
        tags=_tags(value.get("tags")),
        critical=_critical(value.get("critical")),
        cluster=_cluster(value.get("cluster")),
        weight=weight(value.get("weight")),
        path=path,
        line=line,
    )


def identifier(value: object) -> str:
    """Give the id as text; it pairs the case with itself at the other revision, so it cannot be left out."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and value.strip() and len(value) <= 200 and value.isprintable():
        return value.strip()
    if value is None:
        raise _WrongError("`id` is missing", "Give the case a name of its own that stays the same over time.")
    raise _WrongError("`id` must be a short text on one line", "Write it like `late-parcel-2`.")


def weight(value: object) -> float:
    """Give the weight, 1 by default."""
    if value is None:
        return 1.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise _WrongError("`weight` must be a number from 0", "Leave it out for 1.")
    return float(value)


def _tags(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(tag, str) for tag in value):
        return tuple(value)
    raise _WrongError("`tags` must be a list of texts", 'Write "tags": ["short"].')


def _critical(value: object) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    raise _WrongError("`critical` must be true or false", "Leave it out for false.")


def _cluster(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise _WrongError("`cluster` must be a name", "Give the same name to cases that are variants of one question.")


def _assertions(value: object, line: int | None) -> tuple[Assertion, ...]:
    if value is None:
        return ()
    items: Sequence[object] = [value] if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    if not items:
        raise _WrongError(
            "`assert` must be a list of assertions", 'Write "assert": [{"type": "contains", "value": "…"}].'
        )
    return tuple(_assertion(item, line) for item in items)


def _assertion(item: object, line: int | None) -> Assertion:
    if not isinstance(item, Mapping) or not isinstance(item.get("type"), str):
        raise _WrongError("an assertion is a map with `type`", 'Write {"type": "contains", "value": "…"}.')
    return Assertion(
        type=item["type"],
        value=item.get("value"),
        options={key: option for key, option in item.items() if key not in ASSERTION_KEYS},
        weight=weight(item.get("weight")),
        name=str(item.get("name") or ""),
        line=line,
    )
