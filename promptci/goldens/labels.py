"""Labels: people's marks of answers, by which a judge is measured. One a line: `{"id", "answer", "pass"}`.

`goldens/reply.labels.jsonl` beside `goldens/reply.jsonl`; `id` names the golden case that was answered. Optional are
`note`, for people, and `vars`, where the answer was to other variables than the case has now.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from promptci.errors import InputError, Problem
from promptci.files import canonical, lines
from promptci.goldens import load, parse

KEYS = ("id", "answer", "pass", "note", "vars")
MAX_LABELS = 5_000
"""Labels of one file; each is a call to the judge, and so many say all that labels can."""
EXAMPLE_HINT = 'Write {"id": "…", "answer": "…", "pass": true}.'


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """What people say of one answer."""

    case_id: str
    """Id of the golden case that was answered."""
    answer: str
    passed: bool
    note: str = ""
    vars: Mapping[str, Any] | None = None
    """None: those of the case."""
    path: str
    line: int

    @property
    def identity(self) -> str:
        """Name what is marked: the same answer to the same question is marked once."""
        return canonical.digest([self.case_id, self.answer, None if self.vars is None else dict(self.vars)])


def parse_labels(data: bytes, path: str) -> tuple[Label, ...]:
    """Read one file.

    Raises
    ------
    InputError
        With every problem in it.
    """
    values, problems = lines.parse_jsonl(lines.decode_utf8(data, path), path)
    found = [one for line, value in values if (one := _label(value, path, line, problems)) is not None]
    problems += _find_duplicates(found)
    if len(values) > MAX_LABELS:
        what = f"there are {len(values)} labels, and more than {MAX_LABELS} tell nothing more"
        problems.append(
            Problem(path=path, line=values[MAX_LABELS][0], message=what, hint="Keep a random part of them.")
        )
    if problems:
        raise InputError(load.limit_problems(problems, path))
    return tuple(found)


def _label(value: object, path: str, line: int, problems: list[Problem]) -> Label | None:
    if not isinstance(value, Mapping):
        problems.append(Problem(path=path, line=line, message="a label is a map", hint=EXAMPLE_HINT))
        return None
    wrong = [*_unknown(value), *_missing(value), *_find_wrong_types(value)]
    problems += [Problem(path=path, line=line, message=what, hint=fix) for what, fix in wrong]
    if wrong:
        return None
    return Label(
        case_id=str(value["id"]).strip(),
        answer=value["answer"],
        passed=value["pass"],
        note=value.get("note") or "",
        vars=value.get("vars"),
        path=path,
        line=line,
    )


def _unknown(value: Mapping[Any, Any]) -> list[tuple[str, str]]:
    found = []
    for key in value:
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, n=1)
            fix = f"Did you mean `{near[0]}`?" if near else f"Known are {', '.join(KEYS)}."
            found.append((f"unknown key `{key[: parse.MAX_ID_CHARS]}`", fix))
    return found


def _missing(value: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(f"`{key}` is missing", EXAMPLE_HINT) for key in ("id", "answer", "pass") if key not in value]


def _find_wrong_types(value: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Find what is there and of the wrong kind."""
    case = value.get("id", "x")
    numbered = isinstance(case, int) and not isinstance(case, bool)
    checks = (
        (numbered or parse.is_case_id(case), "`id` must be the id of a golden case", EXAMPLE_HINT),
        (isinstance(value.get("answer", ""), str), "`answer` must be a text", EXAMPLE_HINT),
        (isinstance(value.get("pass", True), bool), "`pass` must be true or false", EXAMPLE_HINT),
        (isinstance(value.get("note"), str | None), "`note` must be a text", "Write it in quotes, or leave it out."),
        (
            isinstance(value.get("vars"), Mapping | None),
            "`vars` must be a map of variables",
            "Leave it out, or mend it.",
        ),
    )
    return [(what, fix) for right, what, fix in checks if not right]


def _find_duplicates(labels: Sequence[Label]) -> list[Problem]:
    first: dict[str, Label] = {}
    problems = []
    for one in labels:
        other = first.setdefault(one.identity, one)
        if other is not one:
            differs = "" if other.passed is one.passed else ", and there it is marked the other way"
            what = f"this answer to `{one.case_id}` stands in line {other.line} already{differs}"
            problems.append(Problem(path=one.path, line=one.line, message=what, hint="Keep one of the two."))
    return problems
