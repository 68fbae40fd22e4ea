"""Labels: answers that people marked as right or wrong, by which a judge is measured.

One a line, `{"id", "answer", "pass"}`, in `goldens/reply.labels.jsonl` next to `goldens/reply.jsonl`; `id` names the
golden case that was answered. `note` (for people) and `vars` (where the answer was to other variables) are optional.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from promptci.errors import InputError, Problem
from promptci.files import canonical, lines
from promptci.goldens import parse
from promptci.goldens.model import Case
from promptci.lazy_dataclass import dataclass
from promptci.wording import suggest

LABEL_KEYS = ("id", "answer", "pass", "note", "vars")
MAX_LABELS = 5_000
"""Labels of one file. Each costs a call to the judge, and more would not narrow the estimate noticeably."""
EXAMPLE_HINT = 'Write {"id": "…", "answer": "…", "pass": true}.'


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """A person's mark of one answer."""

    case_id: str
    """Id of the golden case that was answered."""
    answer: str
    passed: bool
    note: str = ""
    vars: Mapping[str, Any] | None = None
    """None: the variables of the case."""
    path: str
    line: int

    @property
    def identity(self) -> str:
        """Digest of the question and the answer: the same answer to the same question is labelled once."""
        return canonical.digest([self.case_id, self.answer, None if self.vars is None else dict(self.vars)])


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelledAnswer:
    """An answer that people have labelled, with the case it answers."""

    case: Case
    """With the assertions by which the judge scores it, and no others."""
    text: str
    acceptable: bool
    """What people say."""


def parse_labels(data: bytes, path: str) -> tuple[Label, ...]:
    """Parse one file.

    Raises
    ------
    InputError
        With every problem in it.
    """
    values, problems = lines.parse_jsonl(lines.decode_utf8(data, path), path)
    parsed = (_parse_label(value, path, line, problems) for line, value in values)
    labels = [label for label in parsed if label is not None]
    problems += _find_duplicates(labels)
    if len(values) > MAX_LABELS:
        message = f"the file has {len(values)} labels; the limit is {MAX_LABELS}"
        problems.append(Problem(path=path, line=values[MAX_LABELS][0], message=message, hint="Keep a random sample."))
    if problems:
        raise InputError(lines.limit_problems(problems, path))
    return tuple(labels)


def _parse_label(value: object, path: str, line: int, problems: list[Problem]) -> Label | None:
    if not isinstance(value, Mapping):
        problems.append(Problem(path=path, line=line, message="a label must be a map", hint=EXAMPLE_HINT))
        return None
    mistakes = [*_find_unknown_keys(value), *_find_missing_keys(value), *_find_wrong_types(value)]
    problems += [Problem(path=path, line=line, message=message, hint=hint) for message, hint in mistakes]
    if mistakes:
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


def _find_unknown_keys(value: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    for key in value:
        if key not in LABEL_KEYS:
            hint = suggest(key, LABEL_KEYS) or f"Known keys: {', '.join(LABEL_KEYS)}."
            yield f"unknown key `{key[: parse.MAX_ID_CHARS]}`", hint


def _find_missing_keys(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from ((f"`{key}` is missing", EXAMPLE_HINT) for key in ("id", "answer", "pass") if key not in value)


def _find_wrong_types(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    case_id = value.get("id", "x")
    is_number = isinstance(case_id, int) and not isinstance(case_id, bool)
    if not is_number and not parse.is_case_id(case_id):
        yield "`id` must be the id of a golden case", EXAMPLE_HINT
    if not isinstance(value.get("answer", ""), str):
        yield "`answer` must be a text", EXAMPLE_HINT
    if not isinstance(value.get("pass", True), bool):
        yield "`pass` must be true or false", EXAMPLE_HINT
    if not isinstance(value.get("note"), str | None):
        yield "`note` must be a text", "Write it in quotes, or leave it out."
    if not isinstance(value.get("vars"), Mapping | None):
        yield "`vars` must be a map of variables", "Write a map, or leave it out."


def _find_duplicates(labels: Sequence[Label]) -> list[Problem]:
    first_by_identity: dict[str, Label] = {}
    problems = []
    for label in labels:
        first = first_by_identity.setdefault(label.identity, label)
        if first is not label:
            opposite = "" if first.passed is label.passed else ", with the opposite mark"
            message = f"this answer to `{label.case_id}` is already labelled in line {first.line}{opposite}"
            problems.append(Problem(path=label.path, line=label.line, message=message, hint="Keep one of the two."))
    return problems
