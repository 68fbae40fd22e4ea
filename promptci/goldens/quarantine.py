"""Quarantine: cases known to flip by themselves, set aside by a committed file that names an owner and an end.

`goldens/order.quarantine.yml` beside `goldens/order.jsonl` holds a list of `{case, owner, until, reason}`.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from promptci.errors import InputError, Problem
from promptci.files import strict_yaml
from promptci.files.lines import decode_utf8

MAX_SHARE = 0.20
"""Share of a golden set that may stand aside; with more, what is left would not be the set any more."""
KEYS = ("case", "owner", "until", "reason")
EXAMPLE_HINT = "Write `- {case: …, owner: …, until: 2026-12-31, reason: …}`."


@dataclass(frozen=True, kw_only=True, slots=True)
class QuarantineEntry:
    """One case set aside."""

    case_id: str
    owner: str
    until: date
    """Last day, in UTC."""
    reason: str
    path: str
    line: int


def quarantine_paths(path: str) -> tuple[str, ...]:
    """Give where the quarantine of a golden file (or of a prompt file with testData) may stand."""
    stem = re.sub(r"(\.prompt)?\.[^./]+$", "", path)
    return (f"{stem}.quarantine.yml", f"{stem}.quarantine.yaml")


def parse_quarantine(data: bytes, path: str) -> tuple[QuarantineEntry, ...]:
    """Read one file.

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
        raise InputError(
            [Problem(path=path, line=document.line_of(), message="a quarantine is a list of cases", hint=EXAMPLE_HINT)]
        )
    problems: list[Problem] = []
    entries = [_entry(row, path, document.line_of((index,)), problems) for index, row in enumerate(rows)]
    found = [entry for entry in entries if entry is not None]
    names = [entry.case_id for entry in found]
    for index, entry in enumerate(found):
        if entry.case_id in names[:index]:
            what = f"the case `{entry.case_id}` stands here twice"
            problems.append(Problem(path=path, line=entry.line, message=what, hint="Keep one of the two."))
    if problems:
        raise InputError(problems)
    return tuple(found)


def _entry(row: object, path: str, line: int, problems: list[Problem]) -> QuarantineEntry | None:
    if not isinstance(row, Mapping) or set(row) != set(KEYS):
        what = f"a quarantined case has exactly {', '.join(f'`{key}`' for key in KEYS)}"
        problems.append(Problem(path=path, line=line, message=what, hint=EXAMPLE_HINT))
        return None
    empty = [key for key in KEYS if not _text(row[key])]
    until = _day(_text(row["until"]))
    if empty or until is None:
        what = f"`{empty[0]}` must be a text" if empty else f"`until` is no day: {_text(row['until'])[:40]!r}"
        problems.append(Problem(path=path, line=line, message=what, hint=EXAMPLE_HINT))
        return None
    case, owner, reason = (_text(row[key]) for key in ("case", "owner", "reason"))
    return QuarantineEntry(
        case_id=case, owner=owner, until=until, reason=" ".join(reason.split()), path=path, line=line
    )


def _text(value: object) -> str:
    """Give a text as it is meant; empty for what is none. A number can be the id of a case."""
    plain = isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
    return str(value).strip() if plain else ""


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
    except ValueError:
        return None


def excluded_reasons(
    entries: Sequence[QuarantineEntry], ids: Collection[str], today: date
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Give why each case of `ids` stands aside, by id, and notes on what the file says that does not hold (any more).

    More than a fifth of the set is too much: then all of it counts.
    """
    valid: dict[str, QuarantineEntry] = {}
    for entry in entries:
        if entry.until >= today and entry.case_id in ids:
            valid.setdefault(entry.case_id, entry)
    notes = []
    for e in entries:
        if e.case_id not in ids:
            notes.append(f"{e.path}:{e.line}: there is no case `{e.case_id}` to be quarantined.")
        elif e.case_id not in valid:
            ended = f"the quarantine of `{e.case_id}` ended on {e.until} ({e.owner}), so it counts"
            notes.append(f"{e.path}:{e.line}: {ended}.")
    if len(valid) > MAX_SHARE * len(ids):
        path = next(iter(valid.values())).path
        notes.append(
            f"{path}: {len(valid)} of {len(ids)} cases are quarantined, more than the {MAX_SHARE:.0%} that may be,"
            " so none is: all of them count."
        )
        return {}, tuple(notes)
    return {e.case_id: f"quarantined until {e.until} by {e.owner}: {e.reason}" for e in valid.values()}, tuple(notes)
