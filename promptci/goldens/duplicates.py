"""Find golden cases that ask the same thing, and those of them that contradict each other."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from promptci.files import canonical
from promptci.goldens.model import Case
from promptci.wording import join_names

MAX_NOTES = 3
"""Groups of equal cases that are named."""
MAX_EXPECTED_CHARS = 40


def describe_duplicates(cases: Sequence[Case]) -> list[str]:
    """Return a note for each group of cases with the same variables, contradictions first."""
    first_cases: dict[bytes, Case] = {}
    groups: dict[bytes, list[Case]] = {}
    for case in _select_similar(cases):
        digest = bytes.fromhex(canonical.digest(dict(case.vars)))
        first = first_cases.setdefault(digest, case)
        if first is not case:
            groups.setdefault(digest, [first]).append(case)
    repeated = list(groups.values())
    contradicting = [group for group in repeated if _find_contradiction(group)]
    notes = [_describe(group) for group in contradicting]
    notes += [_describe(group) for group in repeated if group not in contradicting]
    rest = len(notes) - MAX_NOTES
    return [*notes[:MAX_NOTES], *([f"{rest:,} more groups of cases have the same variables."] if rest > 0 else [])]


def _select_similar(cases: Sequence[Case]) -> list[Case]:
    """Return the cases that share their texts with another one: no other can have the same variables."""
    # A digest of each case would take ten times as long.
    hashes = [_hash_texts(case.vars) for case in cases]
    counts = Counter(hashes)
    return [case for case, texts in zip(cases, hashes, strict=True) if counts[texts] > 1]


def _hash_texts(variables: Mapping[str, Any]) -> int:
    return hash(frozenset(item for item in variables.items() if isinstance(item[1], str)))


def _describe(group: Sequence[Case]) -> str:
    places = join_names([f"{case.path}:{case.line}" for case in group], 5)
    expected = _find_contradiction(group)
    if expected:
        return (
            f"{places} have the same variables and expect different answers ({join_names(expected, 3)}): no answer can"
            " pass all of them. Remove the wrong ones."
        )
    return f"{places} have the same variables: they are asked as one case, and each counts in the pass rate."


def _find_contradiction(group: Sequence[Case]) -> list[str]:
    """Return the different answers that the cases must equal; empty where they agree, or have other assertions."""
    texts = {str(case.expected).strip(): None for case in group if case.expected is not None and not case.assertions}
    return [f"`{text[:MAX_EXPECTED_CHARS].replace('`', chr(39))}`" for text in texts] if len(texts) > 1 else []
