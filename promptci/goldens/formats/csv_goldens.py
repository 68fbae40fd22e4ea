"""Golden cases as CSV, with a header row.

Columns `id`, `expected` (or `ideal`), `tags` (separated by `;`), `critical`, `cluster` and `weight` mean what they
mean in the other formats; every other column is a variable. A first line `sep=;`, as Excel writes it, is skipped.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from promptci.errors import Problem
from promptci.files.csv_text import guess_delimiter
from promptci.goldens import parse
from promptci.goldens.model import Case

RESERVED_COLUMNS = ("id", "expected", "ideal", "tags", "critical", "cluster", "weight")
FORBIDDEN_COLUMNS = {"assert", "vars"}
"""Keys of a case that a table cannot hold: as columns they would pass for variables."""
TRUE, FALSE = {"true", "yes", "1", "x"}, {"false", "no", "0", ""}
MAX_FIELD_CHARS = 2**24
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[ \t]*(?:\n|\Z)')


def parse_tsv(path: str, text: str) -> tuple[list[Case], list[Problem]]:
    """Return the cases of a table whose columns are separated by tabs, and every problem of the others."""
    return parse_csv(path, text, "\t")


def parse_csv(path: str, text: str, separator: str | None = None) -> tuple[list[Case], list[Problem]]:
    """Return the cases that can be used, and every problem of the others."""
    problems: list[Problem] = []
    return list(iterate_rows(path, text, io.StringIO(text, newline=""), problems, separator)), problems


def iterate_rows(
    path: str, head: str, lines: Iterable[str], problems: list[Problem], separator: str | None = None
) -> Iterator[Case]:
    """Yield the cases of a table, and add each mistake to `problems`; `head` is the text with which it begins."""
    csv.field_size_limit(MAX_FIELD_CHARS)
    has_separator_line, delimiter = _find_delimiter(head)
    skipped_lines = int(has_separator_line)
    rows = csv.reader(islice(lines, skipped_lines, None), delimiter=separator or delimiter, strict=True)
    line = 1 + skipped_lines
    header: list[str] = []
    try:
        for row in rows:
            if not any(field.strip() for field in row):
                pass
            elif not header:
                header = [name.strip() for name in row]
                header_problems = find_header_problems(header, path, line)
                problems += header_problems
                if header_problems:
                    return
            elif (case := parse_row(header, row, path, line, problems)) is not None:
                yield case
            line = rows.line_num + skipped_lines + 1
    except csv.Error as error:
        # `line` is where the row begins: the quote that was never closed is there, not at the end of the file.
        message = f"the row cannot be read: {error}"
        problems.append(Problem(path=path, line=line, message=message, hint="Close every quote."))


def _find_delimiter(text: str) -> tuple[bool, str]:
    """Return whether the text begins with a line `sep=;`, and the delimiter."""
    if match := _SEPARATOR_LINE.match(text):
        return True, match[1]
    return False, guess_delimiter(text)


def find_header_problems(header: list[str], path: str, line: int) -> list[Problem]:
    """Return a problem for each column that has no name, or one that cannot stand in a table."""
    problems = []
    if "" in header:
        problems.append(("a column has no name", "Name it, or remove it."))
    duplicates = sorted({name for name in header if name and header.count(name) > 1})
    problems += [(f"two columns have the name `{name}`", "Rename one of them.") for name in duplicates]
    if "expected" in header and "ideal" in header:
        problems.append(("the columns `expected` and `ideal` mean the same", "Keep one of them."))
    for name in header:
        intended = parse.find_intended_key(name, (*RESERVED_COLUMNS, *FORBIDDEN_COLUMNS))
        if name in FORBIDDEN_COLUMNS:
            problems.append(
                (f"a table cannot hold `{name}`", "Make each variable a column; assertions need JSONL or YAML.")
            )
        elif intended is not None:
            message = f"the column `{name}` would be a variable, but looks like the reserved column `{intended}`"
            problems.append((message, f"Write `{intended}`, or give the variable another name."))
    return [Problem(path=path, line=line, message=message, hint=hint) for message, hint in problems]


def parse_row(header: list[str], row: list[str], path: str, line: int, problems: list[Problem]) -> Case | None:
    """Return the case of a row, or None and what is wrong with it among the problems."""
    if len(row) != len(header):
        message = f"the row has {len(row)} fields and the header {len(header)}"
        problems.append(Problem(path=path, line=line, message=message, hint="Quote fields that hold the separator."))
        return None
    fields = dict(zip(header, row, strict=True))
    value: dict[str, Any] = {"vars": {name: text for name, text in fields.items() if name not in RESERVED_COLUMNS}}
    value |= {name: fields[name].strip() or None for name in ("id", "cluster") if name in fields}
    value["expected"] = fields.get("expected") or fields.get("ideal") or None
    value["tags"] = [tag.strip() for tag in fields.get("tags", "").split(";") if tag.strip()]
    value["critical"] = _parse_flag(fields.get("critical", ""))
    value["weight"] = _parse_number(fields.get("weight", ""))
    return parse.parse_case(value, path, line, problems)


def _parse_flag(text: str) -> bool | str:
    """Return true or false, or the text itself, which `parse_case` refuses."""
    word = text.strip().lower()
    return True if word in TRUE else False if word in FALSE else text


def _parse_number(text: str) -> float | str | None:
    try:
        return float(text) if text.strip() else None
    except ValueError:
        return text
