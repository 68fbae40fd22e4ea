"""Find golden cases that ask the same thing, and those of them that contradict each other."""

from collections.abc import Iterable, Sequence

from promptci.files import canonical
from promptci.goldens.model import Case
from promptci.wording import join_names

MAX_NOTES = 3
"""Groups of equal cases that are named."""
MAX_EXPECTED_CHARS = 40


def describe_duplicates(cases: Iterable[Case]) -> list[str]:
    """Return a note for each group of cases with the same variables, contradictions first."""
    first_cases: dict[bytes, Case] = {}
    groups: dict[bytes, list[Case]] = {}
    for case in cases:
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
