"""Golden cases as XLSX: the first sheet, with a header row. Columns mean what they mean in CSV."""

from promptci.errors import InputError, Problem
from promptci.files import tables
from promptci.goldens.formats.csv_goldens import find_header_problems, parse_row
from promptci.goldens.model import Case


def parse_xlsx(path: str, data: bytes) -> tuple[list[Case], list[Problem]]:
    """Return the cases that can be used, and every problem of the others."""
    try:
        rows = tables.read_xlsx(path, data)
    except InputError as error:
        return [], list(error.problems)
    problems: list[Problem] = []
    header: list[str] = []
    cases = []
    for line, row in rows:
        if not header:
            header = [text.strip() for text in row]
            while header and not header[-1]:
                header.pop()
            problems += find_header_problems(header, path, line)
            if problems:
                return [], problems
        else:
            cases.append(parse_row(header, _fit(row, len(header)), path, line, problems))
    return [case for case in cases if case is not None], problems


def _fit(row: list[str], width: int) -> list[str]:
    """Return a row with as many cells as the header, or more where these are filled."""
    filled = max((place for place, text in enumerate(row, start=1) if text.strip()), default=0)
    return [*row[: max(width, filled)], *[""] * (width - len(row))]
