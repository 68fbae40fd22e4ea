"""Golden cases as CSV, with a header row.

Columns `id`, `expected`, `tags` (parted by `;`), `critical`, `cluster` and `weight` mean what they mean elsewhere;
every other column is a variable.
"""

import csv
import io
import re
from typing import Any

from promptci.errors import Problem
from promptci.goldens import parse
from promptci.goldens.model import Case

RESERVED_COLUMNS = ("id", "expected", "tags", "critical", "cluster", "weight")
TRUE, FALSE = {"true", "yes", "1", "x"}, {"false", "no", "0", ""}
FORBIDDEN_COLUMNS = {"assert", "vars"}
"""Keys of a case that are no column: a variable of that name would pass for them."""
MAX_FIELD_CHARS = 2**24
_QUOTED = re.compile(r'"[^"]*"?')


def parse_csv(path: str, text: str) -> tuple[list[Case], list[Problem]]:
    """Give the cases that can be used, and every problem of the others."""
    csv.field_size_limit(MAX_FIELD_CHARS)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    problems: list[Problem] = []
    cases = []
    header: list[str] = []
    line = 1
    try:
        for row in rows:
            if not any(field.strip() for field in row):
                pass
            elif not header:
                header = [name.strip() for name in row]
                problems += _header_problems(header, path, line)
                if problems:
                    return [], problems
            else:
                cases.append(_case(header, row, path, line, problems))
            line = rows.line_num + 1
    except csv.Error as error:
        # `line` is where the row begins: the quote that was never closed is there, not at the end of the file.
        what = f"the row cannot be read: {error}"
        problems.append(Problem(path=path, line=line, message=what, hint="See that every quote is closed."))
    return [case for case in cases if case is not None], problems


def _delimiter(text: str) -> str:
    """Give the sign that parts the header's columns: a comma, a semicolon or a tab."""
    header = _QUOTED.sub("", text.lstrip()).split("\n", 1)[0]
    return max(",;\t", key=header.count)


def _header_problems(header: list[str], path: str, line: int) -> list[Problem]:
    found = []
    if "id" not in header:
        near = [name for name in header if name.lower() == "id"]
        fix = f"Write `id` for `{near[0]}`." if near else "The first row names the columns, `id` among them."
        found.append(("there is no column `id`", fix))
    if "" in header:
        found.append(("a column has no name", "Name it, or take it out."))
    twice = sorted({name for name in header if name and header.count(name) > 1})
    found += [(f"two columns have the name `{name}`", "Rename one of them.") for name in twice]
    fix = "Make every variable a column of its own; assertions need JSONL or YAML."
    found += [(f"a table cannot hold `{name}`", fix) for name in header if name in FORBIDDEN_COLUMNS]
    return [Problem(path=path, line=line, message=what, hint=fix) for what, fix in found]


def _case(header: list[str], row: list[str], path: str, line: int, problems: list[Problem]) -> Case | None:
    if len(row) != len(header):
        what = f"the row has {len(row)} fields and the header {len(header)}"
        problems.append(Problem(path=path, line=line, message=what, hint="Quote fields that hold the separator."))
        return None
    fields = dict(zip(header, row, strict=True))
    value: dict[str, Any] = {"vars": {name: text for name, text in fields.items() if name not in RESERVED_COLUMNS}}
    value |= {name: fields[name].strip() or None for name in ("id", "cluster") if name in fields}
    value["expected"] = fields.get("expected") or None
    value["tags"] = [tag.strip() for tag in fields.get("tags", "").split(";") if tag.strip()]
    value["critical"] = _flag(fields.get("critical", ""))
    value["weight"] = _number(fields.get("weight", ""))
    return parse.parse_case(value, path, line, problems)


def _flag(text: str) -> bool | str:
    """Give true or false, or the text itself, which is then refused where every format refuses it."""
    word = text.strip().lower()
    return True if word in TRUE else False if word in FALSE else text


def _number(text: str) -> float | str | None:
    try:
        return float(text) if text.strip() else None
    except ValueError:
        return text
