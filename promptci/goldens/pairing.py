"""Pair the golden cases of two revisions. Base's are the regression suite; head's edits are shown apart."""

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import replace
from enum import StrEnum

from promptci.goldens.identity import digest_variables
from promptci.goldens.model import Assertion, Case
from promptci.lazy_dataclass import dataclass

ANY_OF = ("contains-any", "equals", "iequals")
"""Assertions of which, with a list, any one entry is enough."""
_PARTS = ("contains", "icontains", "contains-any", "contains-all")
LOOSER_THAN = {
    "equals": (*_PARTS, "equals", "iequals"),
    "contains": ("icontains", "contains-any"),
    "contains-all": ("contains-all", "contains", "contains-any"),
    "contains-any": ("contains-any",),
}
"""By type, the assertions that an answer passes, too, where they ask for the same text."""
MAX_REQUIREMENT = 60
"""Characters of an assertion in words."""


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
            or self.lost_critical
            or head.weight < base.weight
            or (head.cluster is not None and head.cluster != base.cluster)
        )

    @property
    def lost_critical(self) -> bool:
        """Whether the case is critical at base alone."""
        return self.base is not None and self.head is not None and self.base.critical and not self.head.critical

    @property
    def requirement_change(self) -> str:
        """What base asks of the answer and what head asks instead; empty where they ask the same."""
        if self.base is None or self.head is None or _requirements(self.base) == _requirements(self.head):
            return ""
        base, head = _asserted(self.base), _asserted(self.head)
        gone, new = _list_only(base, head), _list_only(head, base)
        if not gone and not new:
            return ""
        return f"{' and '.join(gone) or 'nothing'} → {' and '.join(new) or 'nothing'}"

    @property
    def is_looser(self) -> bool:
        """Whether each answer that passes base's case passes head's too, or the case counts for less.

        Shown by its text alone: an assertion was removed, another one that its text passes took its place (`equals`
        became `contains` or `contains-any`), or the threshold of an `assert-set` was lowered. Of other changes that
        `weakened` names, only a person can tell.
        """
        if not self.weakened or self.base is None or self.head is None:
            return False
        base, head = _asserted(self.base), _asserted(self.head)
        implied = all(any(_implies(old, new) for old in base) for new in head)
        implied_back = all(any(_implies(new, old) for new in head) for old in base)
        lighter = self.lost_critical or self.head.weight < self.base.weight
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
    if case.expected is None:
        return [assertion for assertion in case.assertions if assertion.weight > 0]
    own = [assertion for assertion in case.assertions if assertion.weight > 0 and assertion != Assertion(type="equals")]
    return [Assertion(type="equals", value=case.expected), *own]


def _list_only(these: Sequence[Assertion], those: Sequence[Assertion]) -> list[str]:
    """Return in words the assertions of the first list that the second has not."""
    known = [assertion.content for assertion in those]
    return [_describe_assertion(assertion) for assertion in these if assertion.content not in known]


def _describe_assertion(assertion: Assertion) -> str:
    value = assertion.value
    items = value if isinstance(value, list) else [] if value is None else [value]
    text = f"{assertion.type} {', '.join(map(str, items))}".strip().replace("\n", " ")
    return text if len(text) <= MAX_REQUIREMENT else f"{text[: MAX_REQUIREMENT - 1]}…"


def _implies(stated: Assertion, other: Assertion) -> bool:
    """Return whether an answer that passes one assertion passes the other, too."""
    if stated.content == other.content:
        return True
    if _is_part(stated, other):
        return True
    options, others = dict(stated.options), dict(other.options)
    least, other_least = options.pop("threshold", None), others.pop("threshold", None)
    if stated.type != "assert-set" or (stated.type, stated.value, options) != (other.type, other.value, others):
        return False
    return isinstance(least, int | float) and isinstance(other_least, int | float) and least >= other_least


def _is_part(stated: Assertion, other: Assertion) -> bool:
    """Return whether the other assertion asks for a text that the first one demands already."""
    if other.options or other.type not in LOOSER_THAN.get(stated.type, ()):
        return False
    if stated.options and stated.type != "equals":  # whether `equals` trims the answer matters to no search in it
        return False
    demanded = set(stated.value) if _is_list(stated.value) else {stated.value}
    required = set(other.value) if _is_list(other.value) else {other.value}
    if not all(isinstance(text, str) for text in demanded | required):
        return False
    if stated.type == "equals" and any(text != text.strip() for text in demanded):
        return False
    if stated.type == "contains-any" or (stated.type == "equals" and len(demanded) > 1):
        # One of these texts is there, and nobody knows which.
        return other.type in ANY_OF and demanded <= required
    return bool(demanded & required) if other.type in ANY_OF else required <= demanded


def _is_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _content(case: Case) -> list[object]:
    images = [file.digest for file in case.image_files.values()]
    return [dict(case.vars), images, *_requirements(case), case.critical, case.weight, case.cluster]
