"""Find the edits that broke cases, by asking these cases again with some of the edits undone.

A form of delta debugging (Zeller and Hildebrandt, IEEE TSE 28, 2002) for answers that vary: each edit is undone alone
in a few calls, and what then looks guilty is asked again with new answers, which alone decide. So an edit without an
effect is named with a chance of at most `ALPHA` in each of the two stages, however many edits there are.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from promptci.lazy_dataclass import dataclass
from promptci.stats.significance.within_case import CaseAnswers, permutation_test

ALPHA = 0.01
"""Chance that a stage names an edit without an effect."""
MAX_GROUPS = 8
"""More edits than these are first asked in groups of neighbours."""
MAX_CANDIDATES = 3
SCREENING_SHARE = 0.4
"""Share of the calls that look for candidates; the rest confirms them."""
SCREENING_P = 0.25
MIN_SCREENED, MAX_SCREENED = 3, 16
"""Answers of each version in the first look."""
MIN_CONFIRMED, MAX_CONFIRMED = 8, 40
MIN_MENDED = 0.2
"""Least difference of the shares of correct answers at which an edit is named."""
MAX_ANSWERS_PER_CASE = 20

Group = tuple[int, ...]
"""Numbers of edits that are undone together."""
Marks = Mapping[str, Sequence[float]]
"""Marks of one version's answers by case, from 0 to 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedVersion:
    """A version of the prompt to be asked: base's with some of the edits."""

    edits: frozenset[int]
    cases: tuple[str, ...]
    answers: int
    """Answers to each case."""


Ask = Callable[[Sequence[AskedVersion]], "list[Marks | None]"]
"""Asks each version; None for one that cannot be asked, such as a template that is broken without an edit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupEffect:
    """What one edit, or some that could not be told apart, did to the broken cases."""

    edits: Group
    correct: float
    """Sum of the marks of the version that differs by these edits."""
    answers: int
    control_correct: float
    """Of the version that it is compared with: all edits, or none."""
    control_answers: int
    is_named: bool = False

    @property
    def change(self) -> float:
        """Difference of the shares of correct answers: of the version with the edits undone, minus the control's."""
        if not self.answers or not self.control_answers:
            return 0.0
        return self.correct / self.answers - self.control_correct / self.control_answers


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchResult:
    """What the search found."""

    effects: tuple[GroupEffect, ...]
    """Of every edit or group, in the order of the prompt."""
    calls: int
    is_alone: bool = False
    """The named edits break cases when they are the only ones; undoing one of them does not help."""
    is_reproduced: bool = True
    """False where the broken cases did not break again: they broke by chance."""

    @property
    def named(self) -> tuple[GroupEffect, ...]:
        """The guilty ones."""
        return tuple(effect for effect in self.effects if effect.is_named)

    @property
    def is_joint(self) -> bool:
        """Whether undoing any one of several edits mends the same cases: they break them together."""
        if self.is_alone or len(self.named) < 2:
            return False
        failing = min(1 - effect.control_correct / effect.control_answers for effect in self.named)
        return sum(effect.change for effect in self.named) > 1.25 * failing


class EditSearch:
    """One search within a number of calls."""

    def __init__(self, edits: Sequence[int], broken: Sequence[str], ask: Ask, calls: int) -> None:
        """Search `edits` for what broke the cases `broken`."""
        self._all = frozenset(edits)
        self._broken = tuple(broken)
        self._ask = ask
        self._calls = calls
        self._left = calls

    def run(self) -> SearchResult:
        """Undo edits one by one; where that mends nothing, apply them one by one; then split the groups named."""
        groups = _group(sorted(self._all), MAX_GROUPS)
        effects, is_reproduced = self._look(groups, undo=True)
        is_alone = False
        if is_reproduced and not any(effect.is_named for effect in effects) and len(groups) > 1:
            alone, _ = self._look(groups, undo=False)
            is_alone = any(effect.is_named for effect in alone)
            effects = alone if is_alone else effects
        split = [part for effect in effects for part in self._split(effect, undo=not is_alone)]
        return SearchResult(
            effects=tuple(split), calls=self._calls - self._left, is_alone=is_alone, is_reproduced=is_reproduced
        )

    def _split(self, effect: GroupEffect, *, undo: bool) -> Sequence[GroupEffect]:
        """Return the parts of a named group if one of them can be named, else the group."""
        if not effect.is_named or len(effect.edits) == 1:
            return [effect]
        parts, _ = self._look(_group(effect.edits, MAX_GROUPS), undo=undo)
        if not any(part.is_named for part in parts):
            return [effect]
        return [deeper for part in parts for deeper in self._split(part, undo=undo)]

    def _look(self, groups: Sequence[Group], *, undo: bool) -> tuple[list[GroupEffect], bool]:
        """Return the effect of each group, and False instead where the control, which has all edits, fails no more."""
        control = self._all if undo else frozenset[int]()
        versions = [control, *(control ^ frozenset(group) for group in groups)]
        size = min(int(self._left * SCREENING_SHARE) // len(versions), MAX_SCREENED)
        nothing = [GroupEffect(edits=g, correct=0, answers=0, control_correct=0, control_answers=0) for g in groups]
        if size < MIN_SCREENED:
            return nothing, True
        first, *others = self._ask_versions(versions, size, offset=0)
        if first is None or (undo and _total(first)[0] >= 0.9 * _total(first)[1]):
            return nothing, first is None
        effects = [_effect(group, marks, first) for group, marks in zip(groups, others, strict=True)]
        sign = 1 if undo else -1
        looks = [
            (effect, _p_value(first, marks, undo=undo))
            for effect, marks in zip(effects, others, strict=True)
            if marks is not None and sign * effect.change >= MIN_MENDED
        ]
        likely = sorted((pair for pair in looks if pair[1] <= SCREENING_P), key=lambda p: (p[1], -sign * p[0].change))
        confirmed = self._confirm([effect.edits for effect, _ in likely[:MAX_CANDIDATES]], size, undo=undo)
        return [confirmed.get(effect.edits, effect) for effect in effects], True

    def _confirm(self, candidates: Sequence[Group], screened: int, *, undo: bool) -> dict[Group, GroupEffect]:
        most = MAX_CONFIRMED if all(len(group) == 1 for group in candidates) else MAX_SCREENED  # the parts come later
        size = min(self._left // (len(candidates) + 1), most)
        if not candidates or size < MIN_CONFIRMED:
            return {}
        control = self._all if undo else frozenset[int]()
        versions = [control, *(control ^ frozenset(group) for group in candidates)]
        first, *others = self._ask_versions(versions, size, offset=screened)
        if first is None:
            return {}
        effects = {}
        for group, marks in zip(candidates, others, strict=True):
            if marks is None:
                continue
            effect = _effect(group, marks, first)
            is_shown = _p_value(first, marks, undo=undo) <= ALPHA / len(candidates)
            is_large = (effect.change if undo else -effect.change) >= MIN_MENDED
            effects[group] = replace(effect, is_named=is_shown and is_large)
        return effects

    def _ask_versions(self, versions: Sequence[frozenset[int]], size: int, *, offset: int) -> "list[Marks | None]":
        """Ask each version about as many answers as `size`: of as many cases as possible, beginning with `offset`."""
        turned = self._broken[offset % len(self._broken) :] + self._broken[: offset % len(self._broken)]
        cases = turned[:size]
        answers = min(math.ceil(size / len(cases)), MAX_ANSWERS_PER_CASE)
        if len(versions) * len(cases) * answers > self._left:
            answers = size // len(cases)
        self._left -= len(versions) * len(cases) * answers
        return self._ask([AskedVersion(edits=edits, cases=cases, answers=answers) for edits in versions])


def _group(edits: Sequence[int], most: int) -> list[Group]:
    """Return the edits one by one, or in so many groups of neighbours."""
    count = min(len(edits), most)
    bounds = [len(edits) * step // count for step in range(count + 1)]
    return [tuple(edits[start:end]) for start, end in itertools.pairwise(bounds)]


def _effect(group: Group, marks: Marks | None, control: Marks) -> GroupEffect:
    correct, answers = _total(marks or {})
    control_correct, control_answers = _total(control)
    return GroupEffect(
        edits=group,
        correct=correct,
        answers=answers,
        control_correct=control_correct,
        control_answers=control_answers,
    )


def _total(marks: Marks) -> tuple[float, int]:
    return sum(map(sum, marks.values())), sum(map(len, marks.values()))


def _p_value(control: Marks, marks: Marks, *, undo: bool) -> float:
    """Return the p-value of `the version with the edits is worse`."""
    better, worse = (marks, control) if undo else (control, marks)
    cases = [
        CaseAnswers(reference=tuple(better[case]), candidate=tuple(worse[case]))
        for case in better
        if better[case] and worse.get(case)
    ]
    return permutation_test(cases).p if cases else 1.0
