"""Golden cases as CSV, with a header row.

Columns `id`, `expected`, `tags` (parted by `;`), `critical`, `cluster` and `weight` mean what they mean elsewhere;
every other column is a variable.
"""

import csv
import io
from typing import Any

from promptci.errors import Problem
from promptci.goldens import parse
from promptci.goldens.model import Case

OWN = ("id", "expected", "tags", "critical", "cluster", "weight")
TRUE, FALSE = {"true", "yes", "1", "x"}, {"false", "no", "0", ""}
LARGEST_FIELD = 2**24


def read(path: str, text: str) -> tuple[list[Case], list[Problem]]:
    """Give the cases that can be used, and every problem of the others."""
    if not text.strip():
        return [], []
    csv.field_size_limit(LARGEST_FIELD)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    problems: list[Problem] = []
    cases = []
    try:
        header = [name.strip() for name in next(rows)]
        if wrong := _header_problem(header):
            return [], [Problem(path=path, line=1, what=wrong, fix="The first row names the columns, `id` among them.")]
        line = rows.line_num + 1
        for row in rows:
            if any(field.strip() for field in row):
                cases.append(_case(header, row, path, line, problems))
            line = rows.line_num + 1
    except csv.Error as error:
        what = f"the row cannot be read: {error}"
        problems.append(Problem(path=path, line=rows.line_num, what=what, fix="See that every quote is closed."))
    return [case for case in cases if case is not None], problems


def _delimiter(text: str) -> str:
    """Give the sign that parts the header's columns: a comma, a semicolon or a tab."""
    header = text.lstrip("\n").splitlines()[0]
    return max(",;\t", key=header.count)


def _header_problem(header: list[str]) -> str | None:
    if "id" not in header:
        return "there is no column `id`"
    if "" in header:
        return "a column has no name"
    double = {name for name in header if header.count(name) > 1}
    return f"two columns have the name `{min(double)}`" if double else None


def _case(header: list[str], row: list[str], path: str, line: int, problems: list[Problem]) -> Case | None:
    if len(row) != len(header):
        what = f"the row has {len(row)} fields and the header {len(header)}"
        problems.append(Problem(path=path, line=line, what=what, fix="Quote fields that hold the separator."))
        return None
    fields = dict(zip(header, row, strict=True))
    value: dict[str, Any] = {"vars": {name: text for name, text in fields.items() if name not in OWN}}
    value |= {name: fields[name].strip() or None for name in ("id", "cluster") if name in fields}
    value["expected"] = fields.get("expected") or None
    value["tags"] = [tag.strip() for tag in fields.get("tags", "").split(";") if tag.strip()]
    value["critical"] = _flag(fields.get("critical", ""))
    value["weight"] = _number(fields.get("weight", ""))
    return parse.case(value, path, line, problems)


def _flag(text: str) -> bool | str:
    """Give true or false, or the text itself, which is then refused where every format refuses it."""
    word = text.strip().lower()
    return True if word in TRUE else False if word in FALSE else text


def _number(text: str) -> float | str | None:
    try:
        return float(text) if text.strip() else None
    except ValueError:
        return text
