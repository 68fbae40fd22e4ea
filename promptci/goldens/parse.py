"""One case as a map in, a Case out; shared by every format of golden files."""

import difflib
import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from promptci.errors import Problem
from promptci.goldens.foreign_cases import convert_case
from promptci.goldens.images import find_images
from promptci.goldens.model import Assertion, Case
from promptci.lazy_dataclass import dataclass

CASE_KEYS = ("id", "vars", "expected", "ideal", "assert", "tags", "critical", "cluster", "weight")
COMMENT_KEYS = ("description", "metadata")
"""Comments if there is a `vars` key, as in promptfoo's test sets; otherwise variables."""
ASSERTION_KEYS = ("type", "value", "weight", "name")
MAX_ID_CHARS = 200
MIN_WEIGHT, MAX_WEIGHT = 0.01, 100.0
"""Beyond these bounds a few cases would be the whole set, or a case would not count at all."""
OTHER_SPELLINGS = {
    "answer_expected": "expected",
    "assertion": "assert",
    "assertions": "assert",
    "expect": "expected",
    "expectation": "expected",
    "expected_answer": "expected",
    "expected_output": "expected",
    "expects": "expected",
    "tag": "tags",
    "var": "vars",
    "variables": "vars",
}
"""Names of other tools, and likely slips, that would pass for variables."""
KEYS_BESIDE_VARS = dict.fromkeys(
    ("answer", "completion", "gold", "label", "output", "reference", "response", "result", "target"), "expected"
)
"""Other names of keys, which beside `vars` cannot be variables."""
MIN_FUZZY_CHARS, MIN_SUBSTITUTED_CHARS = 6, 8
"""Shorter names have too many honest neighbours: `idea` is no misspelt `ideal`, nor `height` a `weight`."""
EXAMPLE_HINT = 'Write {"vars": {…}, "expected": "…"}.'

KeyPath = tuple[str | int, ...]
"""Keys and indexes that lead to a value within a case."""
FindLine = Callable[[KeyPath], int | None]


@dataclass(frozen=True, slots=True)
class _CaseContext:
    """Location of a case, and the problems found in it."""

    path: str
    line: int | None
    find_line: FindLine | None
    problems: list[Problem]

    def line_of(self, place: KeyPath) -> int | None:
        return self.find_line(place) if self.find_line else self.line

    def add_problem(self, place: KeyPath, message: str, hint: str) -> None:
        self.problems.append(Problem(path=self.path, line=self.line_of(place), message=message, hint=hint))


def parse_case(
    value: object, path: str, line: int | None, problems: list[Problem], find_line: FindLine | None = None
) -> Case | None:
    """Parse one case; return None, and add each mistake to `problems`, where it cannot be used.

    `find_line` returns the line of a value within the case, where it may differ from the case's own.
    A case without `id` gets one from `load_goldens`, which knows the whole set.
    """
    problem_count = len(problems)
    value = convert_case(value)
    context = _CaseContext(path, line, find_line, problems)
    if not isinstance(value, Mapping):
        context.add_problem((), "a case must be a map", EXAMPLE_HINT)
        return None
    case_id = _parse_id(value.get("id"), context)
    variables = _parse_variables(value, context)
    case = Case(
        id=case_id,
        has_written_id=bool(case_id),
        vars=variables,
        expected=_parse_expected(value, context),
        assertions=_parse_assertions(value.get("assert"), context),
        tags=_parse_tags(value.get("tags"), context),
        critical=_parse_critical(value.get("critical"), context),
        cluster=_parse_cluster(value.get("cluster"), context),
        weight=_parse_weight(value.get("weight"), context, ("weight",), MIN_WEIGHT),
        images=find_images(variables),
        path=path,
        line=line,
    )
    return case if len(problems) == problem_count else None


def is_case_id(value: object) -> bool:
    """Return whether a value can name a case: a short text on one line."""
    return isinstance(value, str) and bool(value.strip()) and len(value) <= MAX_ID_CHARS and value.isprintable()


def find_intended_key(name: str, known: Collection[str] = CASE_KEYS) -> str | None:
    """Return the reserved key that a name looks like; None for a reserved key itself and for any other name."""
    if name in known:
        return None
    plain = re.sub(r"[\W_]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip())).strip("_").lower()
    if plain in known:
        return plain
    if OTHER_SPELLINGS.get(plain) in known:
        return OTHER_SPELLINGS[plain]
    return next((key for key in known if len(key) >= MIN_FUZZY_CHARS and _is_one_edit_away(plain, key)), None)


def _is_one_edit_away(name: str, key: str) -> bool:
    """Return whether one added, missing or swapped letter (or a wrong one, in a long name) makes one the other."""
    if abs(len(name) - len(key)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(name, key, strict=False)) if a != b), min(len(name), len(key)))
    a, b = name[start:], key[start:]
    is_wrong_letter = len(key) >= MIN_SUBSTITUTED_CHARS and a[1:] == b[1:]
    return a[1:] == b or a == b[1:] or is_wrong_letter or (a[:2] == b[1::-1] and a[2:] == b[2:])


def _parse_id(value: object, context: _CaseContext) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and is_case_id(value):
        return value.strip()
    if value is not None:
        message = f"`id` must be a short text on one line; {_describe_id_mistake(value)}"
        context.add_problem(("id",), message, "Write it like `late-parcel-2`.")
    return ""


def _describe_id_mistake(value: object) -> str:
    """Return what keeps a value from naming a case, as a clause."""
    if not isinstance(value, str):
        return "this is none"
    if not value.strip():
        return "this is blank"
    if len(value) > MAX_ID_CHARS:
        return f"this has {len(value):,} characters, and {MAX_ID_CHARS} are allowed"
    odd = next(char for char in value if not char.isprintable())
    return f"the character U+{ord(odd):04X} at place {value.index(odd) + 1} cannot be printed"


def _parse_variables(value: Mapping[str, Any], context: _CaseContext) -> dict[str, Any]:
    """Return the variables: those of `vars`, else every key that means nothing else."""
    variables = value.get("vars")
    if isinstance(variables, Mapping):
        turns = {key: value[key] for key in ("messages", "images") if isinstance(value.get(key), list)}
        for key in value:
            if key not in CASE_KEYS and key not in COMMENT_KEYS and key not in turns:
                known = (*CASE_KEYS, *COMMENT_KEYS)
                intended = KEYS_BESIDE_VARS.get(str(key).lower()) or find_intended_key(str(key), known)
                close = [intended] if intended else difflib.get_close_matches(str(key), known, n=1, cutoff=0.75)
                hint = f"Known keys: {', '.join(known)}. Variables go under `vars`."
                context.add_problem(
                    (key,), f"unknown key `{_cut(key)}`", f"Did you mean `{close[0]}`?" if close else hint
                )
        return {**variables, **turns}
    if variables is not None:
        context.add_problem(("vars",), "`vars` must be a map of variables", 'Write "vars": {"input": "…"}.')
        return {}
    names = [key for key in value if key not in CASE_KEYS]
    for name in names:
        if intended := find_intended_key(str(name)):
            message = f"`{_cut(name)}` would be a variable, but looks like the reserved key `{intended}`"
            context.add_problem((name,), message, f"Write `{intended}`, or put the variables under `vars`.")
    return {name: value[name] for name in names}


def _parse_expected(value: Mapping[str, Any], context: _CaseContext) -> Any:
    """Return the expectation; `ideal` is the name that OpenAI's evals have for it."""
    expected, ideal = value.get("expected"), value.get("ideal")
    if expected is not None and ideal is not None:
        context.add_problem(("ideal",), "`expected` and `ideal` mean the same", "Keep one of them.")
    return ideal if expected is None else expected


def _parse_weight(value: object, context: _CaseContext, place: KeyPath, minimum: float) -> float:
    if value is None:
        return 1.0
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if minimum <= number <= MAX_WEIGHT:
        return float(number)
    message = f"`weight` must be a number from {minimum:g} to {MAX_WEIGHT:g}"
    context.add_problem(place, message, "Leave it out for 1.")
    return 1.0


def _parse_tags(value: object, context: _CaseContext) -> tuple[str, ...]:
    tags = [] if value is None else [value] if isinstance(value, str) else value
    if isinstance(tags, list) and all(isinstance(tag, str) for tag in tags):
        return tuple(tags)
    context.add_problem(("tags",), "`tags` must be a list of texts", 'Write "tags": ["short"].')
    return ()


def _parse_critical(value: object, context: _CaseContext) -> bool:
    if not (value is None or isinstance(value, bool)):
        context.add_problem(("critical",), "`critical` must be true or false", "Leave it out for false.")
    return value is True


def _parse_cluster(value: object, context: _CaseContext) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    hint = "Give the same name to cases that are variants of one question."
    context.add_problem(("cluster",), "`cluster` must be a name", hint)
    return None


def _parse_assertions(value: object, context: _CaseContext) -> tuple[Assertion, ...]:
    if value is None:
        return ()
    if isinstance(value, Mapping):
        return _parse_assertion(value, context, ("assert",))
    if isinstance(value, list) and value:
        return tuple(
            assertion
            for index, item in enumerate(value)
            for assertion in _parse_assertion(item, context, ("assert", index))
        )
    hint = 'Write "assert": [{"type": "contains", "value": "…"}].'
    context.add_problem(("assert",), "`assert` must be a list of assertions", hint)
    return ()


def _parse_assertion(item: object, context: _CaseContext, place: KeyPath) -> tuple[Assertion, ...]:
    """Return the assertion, or nothing where it is not one. Scoring checks whether its type exists."""
    if not isinstance(item, Mapping) or not isinstance(item.get("type"), str):
        only_key = next(iter(item)) if isinstance(item, Mapping) and len(item) == 1 else "contains"
        example_type = "contains" if only_key in ASSERTION_KEYS else only_key
        hint = f'Write {{"type": "{_cut(example_type)}", "value": "…"}}.'
        context.add_problem(place, "an assertion must be a map with `type`", hint)
        return ()
    name = item.get("name")
    if not isinstance(name, str | None):
        context.add_problem((*place, "name"), "an assertion's `name` must be a text", "Write it in quotes.")
        name = None
    return (
        Assertion(
            type=item["type"],
            value=item.get("value"),
            options={key: option for key, option in item.items() if key not in ASSERTION_KEYS},
            weight=_parse_weight(item.get("weight"), context, (*place, "weight"), 0),
            name=name or "",
            line=None if context.find_line is None else context.find_line(place),
        ),
    )


def _cut(key: object) -> str:
    return str(key)[:MAX_ID_CHARS]
