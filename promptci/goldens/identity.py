"""What makes a case the same case over time: its written id, else its variables."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from promptci.files import canonical
from promptci.goldens.model import Case

DIGEST_CHARS = 12
_WHITESPACE = re.compile(r"\s+")


def assign_ids(cases: Iterable[Case]) -> list[Case]:
    """Return the cases with an id each; one without a written id gets a digest of its variables.

    Cases with equal variables are numbered in their order, so that one that is added last renames no other.
    """
    cases = list(cases)
    used = {case.id for case in cases if case.has_written_id}
    counts: Counter[str] = Counter()
    identified = []
    for case in cases:
        if case.has_written_id:
            identified.append(case)
            continue
        case_id = stem = f"case-{digest_variables(case.vars)[:DIGEST_CHARS]}"
        counts[stem] += 1
        while counts[stem] > 1 or case_id in used:
            case_id = f"{stem}-{counts[stem]}"
            if case_id not in used:
                break
            counts[stem] += 1
        used.add(case_id)
        identified.append(replace(case, id=case_id))
    return identified


def digest_variables(variables: Mapping[str, Any], names: Collection[str] | None = None) -> str:
    """Return a digest of the variables that ignores whitespace; of those named only, where `names` are given."""
    return canonical.digest(
        {name: _normalize(value) for name, value in variables.items() if names is None or name in names}
    )


def _normalize(value: Any) -> Any:
    if isinstance(value, str):
        return _WHITESPACE.sub(" ", value).strip()
    if isinstance(value, Mapping):
        return {key: _normalize(item) for key, item in value.items()}
    return [_normalize(item) for item in value] if isinstance(value, list) else value
