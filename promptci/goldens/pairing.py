"""Pair the golden cases of two revisions. Base's are the regression suite; head's edits are shown apart."""

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import replace
from enum import StrEnum

from promptci.goldens.identity import digest_variables
from promptci.goldens.model import Assertion, Case
from promptci.lazy_dataclass import dataclass

LOOSER_THAN_EQUALS = ("contains", "icontains")


class CaseChange(StrEnum):
    """What a change did to a golden case."""

    SAME = "same"
    CHANGED = "changed"
    NEW = "new"
    REMOVED = "removed"


@dataclass(frozen=True, kw_only=True, slots=True)
class CasePair:
    """One golden case as each revision has it."""

    base: Case | None
    """The case that a changed prompt is tested by; None for a new case."""
    head: Case | None
    """None for a case that the change removes."""

    @property
    def id(self) -> str:
        """Id of the case: base's, so that renaming an id changes nothing."""
        case = self.base or self.head
        if case is None:
            raise ValueError("a pair has at least one case")
        return case.id

    @property
    def change(self) -> CaseChange:
        """What the change did to the case; a new id or line alone is no change."""
        if self.base is None:
            return CaseChange.NEW
        if self.head is None:
            return CaseChange.REMOVED
        if self.base == self.head or _content(self.base) == _content(self.head):
            return CaseChange.SAME
        return CaseChange.CHANGED

    @property
    def weakened(self) -> bool:
        """Whether the change may have made the case easier to pass, or made it count for less.

        Another expectation for the same input may be a correction; only a person can tell.
        """
        if self.base is None or self.head is None:
            return False
        base, head = self.base, self.head
        return (
            (_requirements(base) != _requirements(head) and digest_variables(base.vars) == digest_variables(head.vars))
            or (base.critical and not head.critical)
            or head.weight < base.weight
            or (head.cluster is not None and head.cluster != base.cluster)
        )

    @property
    def is_looser(self) -> bool:
        """Whether each answer that passes base's case passes head's too, or the case counts for less.

        Shown by its text alone: an assertion was removed, `equals` became `contains` of the same value, or the
        threshold of an `assert-set` was lowered. Of other changes that `weakened` names, only a person can tell.
        """
        if not self.weakened or self.base is None or self.head is None:
            return False
        base, head = _asserted(self.base), _asserted(self.head)
        implied = all(any(_implies(old, new) for old in base) for new in head)
        implied_back = all(any(_implies(new, old) for new in head) for old in base)
        lighter = (self.base.critical and not self.head.critical) or self.head.weight < self.base.weight
        return implied and (lighter or not implied_back)


def pair_cases(
    base: Sequence[Case], head: Sequence[Case], variables: Collection[str] | None = None
) -> tuple[CasePair, ...]:
    """Pair cases by id, then by the variables that the prompt uses; base's cases first, in their order.

    `variables` are the names that either version's messages use; None: all of them matter. Edits of whitespace or
    of unused variables keep a pair, as does renaming an id. Cases with equal variables pair in their order.
    """
    matches = _match(base, head, lambda case: case.id)
    by_variables: Callable[[Case], Hashable] = lambda case: digest_variables(case.vars, variables)  # noqa: E731
    unmatched_base = [case for case in base if case.id not in matches]
    taken = {case.id for case in matches.values()}
    unmatched_head = [case for case in head if case.id not in taken]
    matches |= _match(unmatched_base, unmatched_head, by_variables)
    taken = {case.id for case in matches.values()}
    base_ids = {case.id for case in base}
    pairs = [CasePair(base=case, head=matches.get(case.id)) for case in base]
    pairs += [CasePair(base=None, head=_with_free_id(case, base_ids)) for case in head if case.id not in taken]
    return tuple(pairs)


def _match(base: Iterable[Case], head: Iterable[Case], key: Callable[[Case], Hashable]) -> dict[str, Case]:
    """Return head's cases by the id of the base case with the same key."""
    base = list(base)
    if not base:
        return {}
    waiting: dict[Hashable, list[Case]] = {}
    for case in head:
        waiting.setdefault(key(case), []).append(case)
    for cases in waiting.values():
        cases.reverse()
    return {case.id: matches.pop() for case in base if (matches := waiting.get(key(case)))}


def _with_free_id(case: Case, base_ids: Collection[str]) -> Case:
    """Return a new case under an id that no case of base has."""
    return replace(case, id=f"{case.id} (new)") if case.id in base_ids else case


def _requirements(case: Case) -> list[object]:
    return [case.expected, [assertion.content for assertion in case.assertions]]


def _asserted(case: Case) -> list[Assertion]:
    """Return the assertions that count, with the one that follows from the expectation."""
    expected = [] if case.expected is None else [Assertion(type="equals", value=case.expected)]
    return [*expected, *(assertion for assertion in case.assertions if assertion.weight > 0)]


def _implies(stated: Assertion, other: Assertion) -> bool:
    """Return whether an answer that passes one assertion passes the other, too."""
    if stated.content == other.content:
        return True
    if stated.type == "equals" and other.type in LOOSER_THAN_EQUALS and isinstance(stated.value, str):
        return stated.value == other.value and not other.options
    options, others = dict(stated.options), dict(other.options)
    least, other_least = options.pop("threshold", None), others.pop("threshold", None)
    if stated.type != "assert-set" or (stated.type, stated.value, options) != (other.type, other.value, others):
        return False
    return isinstance(least, int | float) and isinstance(other_least, int | float) and least >= other_least


def _content(case: Case) -> list[object]:
    images = [file.digest for file in case.image_files.values()]
    return [dict(case.vars), images, *_requirements(case), case.critical, case.weight, case.cluster]
