"""Quarantine: cases known to be flaky, excluded by a committed file that names an owner and an end date.

`goldens/order.quarantine.yml` next to `goldens/order.jsonl` holds a list of `{case, owner, until, reason}`.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date

from promptci.errors import InputError, Problem
from promptci.files import strict_yaml
from promptci.files.lines import decode_utf8
from promptci.lazy_dataclass import dataclass

MAX_SHARE = 0.20
"""Share of a golden set that may be excluded; with more, the rest would no longer be the same test."""
ENTRY_KEYS = ("case", "owner", "until", "reason")
EXAMPLE_HINT = "Write `- {case: …, owner: …, until: 2026-12-31, reason: …}`."
MAX_SHOWN_CHARS = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class QuarantineEntry:
    """One excluded case."""

    case_id: str
    owner: str
    until: date
    """Last day of the quarantine, in UTC."""
    reason: str
    path: str
    line: int


def parse_quarantine(data: bytes, path: str) -> tuple[QuarantineEntry, ...]:
    """Parse one file.

    Raises
    ------
    InputError
        With every problem in it.
    """
    document = strict_yaml.load(decode_utf8(data, path), path)
    rows = document.value
    if rows is None:
        return ()
    if not isinstance(rows, list):
        message = "a quarantine must be a list of cases"
        raise InputError([Problem(path=path, line=document.line_of(), message=message, hint=EXAMPLE_HINT)])
    problems: list[Problem] = []
    parsed = [_parse_entry(row, path, document.line_of((index,)), problems) for index, row in enumerate(rows)]
    entries = [entry for entry in parsed if entry is not None]
    problems += _find_duplicates(entries)
    if problems:
        raise InputError(problems)
    return tuple(entries)


def _parse_entry(row: object, path: str, line: int, problems: list[Problem]) -> QuarantineEntry | None:
    if not isinstance(row, Mapping) or set(row) != set(ENTRY_KEYS):
        message = f"a quarantined case must have exactly the keys {', '.join(f'`{key}`' for key in ENTRY_KEYS)}"
        problems.append(Problem(path=path, line=line, message=message, hint=EXAMPLE_HINT))
        return None
    texts = {key: _to_text(row[key]) for key in ENTRY_KEYS}
    empty_keys = [key for key in ENTRY_KEYS if not texts[key]]
    until = _parse_day(texts["until"])
    if empty_keys or until is None:
        shown = repr(texts["until"][:MAX_SHOWN_CHARS])
        message = f"`{empty_keys[0]}` must be a text" if empty_keys else f"`until` must be a date; it is {shown}"
        problems.append(Problem(path=path, line=line, message=message, hint=EXAMPLE_HINT))
        return None
    reason = " ".join(texts["reason"].split())
    return QuarantineEntry(
        case_id=texts["case"], owner=texts["owner"], until=until, reason=reason, path=path, line=line
    )


def _find_duplicates(entries: Sequence[QuarantineEntry]) -> list[Problem]:
    seen: set[str] = set()
    problems = []
    for entry in entries:
        if entry.case_id in seen:
            message = f"the case `{entry.case_id}` is listed twice"
            problems.append(Problem(path=entry.path, line=entry.line, message=message, hint="Keep one of the two."))
        seen.add(entry.case_id)
    return problems


def _to_text(value: object) -> str:
    """Return a text or whole number as text; empty for anything else. A number can be the id of a case."""
    is_plain = isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
    return str(value).strip() if is_plain else ""


def _parse_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
    except ValueError:
        return None


def excluded_reasons(
    entries: Sequence[QuarantineEntry], case_ids: Collection[str], today: date
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return why each quarantined case of `case_ids` is excluded, by id, and notes on entries without effect.

    Where more than a fifth of the set would be excluded, none of it is.
    """
    valid: dict[str, QuarantineEntry] = {}
    for entry in entries:
        if entry.until >= today and entry.case_id in case_ids:
            valid.setdefault(entry.case_id, entry)
    notes = []
    for entry in entries:
        place = f"{entry.path}:{entry.line}"
        if entry.case_id not in case_ids:
            notes.append(f"{place}: there is no case `{entry.case_id}`, so nothing is quarantined.")
        elif entry.case_id not in valid:
            ended = f"the quarantine of `{entry.case_id}` ended on {entry.until} ({entry.owner})"
            notes.append(f"{place}: {ended}. The case counts again.")
    if len(valid) > MAX_SHARE * len(case_ids):
        path = next(iter(valid.values())).path
        limit = f"{len(valid)} of {len(case_ids)} cases are quarantined, more than the allowed {MAX_SHARE:.0%}"
        notes.append(f"{path}: {limit}. None is excluded: all of them count.")
        return {}, tuple(notes)
    reasons = {
        case_id: f"quarantined until {entry.until} by {entry.owner}: {entry.reason}" for case_id, entry in valid.items()
    }
    return reasons, tuple(notes)
