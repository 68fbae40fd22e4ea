"""PromptPlan: what a change does to one prompt, and what is asked to find out what that does."""

from collections.abc import Mapping
from dataclasses import field, replace
from enum import StrEnum
from typing import NamedTuple

from promptci.goldens.labels import LabelledAnswer
from promptci.goldens.model import Case
from promptci.lazy_dataclass import dataclass
from promptci.prompts.model import Prompt


class Arm(StrEnum):
    """Which side of the comparison."""

    BASE = "base"
    HEAD = "head"


class Status(StrEnum):
    """What the change did to a prompt."""

    CHANGED = "changed"
    ADDED = "added"
    DELETED = "deleted"
    RENAMED = "renamed"
    UNCHANGED = "unchanged"


class UnreachedChange(NamedTuple):
    """A change of a prompt that no golden case reaches: every request is the same before and after."""

    paths: tuple[str, ...]
    """The files of the prompt that were edited."""
    conditions: tuple[str, ...] = ()
    """Tags such as `{% if vip %}` that hold what differs; empty where unknown."""
    unset: tuple[str, ...] = ()
    """Variables of the edited part that no golden case sets."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedCase:
    """A case as it will be asked and marked, with what the change did to it."""

    case: Case
    """Its assertions are the effective ones: its own, and what follows from `expected` and the prompt's evaluators."""
    change: str = "same"
    """`same` (compared: base's case), `new` or `changed` (head's; asked of both versions and shown apart)."""
    excluded_reason: str | None = None
    """Why this case is asked and shown but decides nothing; None: it counts."""
    kept: bool = True
    """Head's goldens hold this case, too; False for a case of base that the change removes or edits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptChange:
    """What a change does to one prompt: its two versions, and what became of its goldens."""

    name: str
    path: str
    """Path at head, or at base for a deleted prompt."""
    status: Status
    base: Prompt | None
    head: Prompt | None
    removed_cases: tuple[str, ...] = ()
    """Ids of cases that head no longer has."""
    loosened_cases: tuple[str, ...] = ()
    """Ids of cases whose expectation or assertions changed while their variables did not: perhaps made easier."""
    looser_cases: tuple[str, ...] = ()
    """Those of `loosened_cases` that are shown to be easier, or to count for less."""
    loosened_example: str = ""
    """What the first of them asked for and asks for now: `t-00: equals refund → contains-any refund, other`."""
    no_longer_critical: tuple[str, ...] = ()
    """Ids of cases that are critical at base alone."""
    removed_critical: tuple[str, ...] = ()
    """Those of `removed_cases` that are critical."""
    why: tuple[str, ...] = ()
    """Why it is affected, in words: `prompt changed`, `goldens changed`, …"""
    goldens_paths: tuple[str, ...] = ()
    missing_goldens: bool = False
    """No golden set matched and the prompt has no testData."""
    leaves_goldens: bool = False
    """Base's goldens are still there, under a name that no longer is the prompt's."""
    unreached: UnreachedChange | None = None
    """What of the prompt changed where no golden case reaches it, so that nothing is asked; None: the cases do."""
    uncommitted: tuple[str, ...] = ()
    """Configuration and golden files that only the working tree has, where base has no golden case."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """What both versions of a prompt are asked, how often, and who scores the answers."""

    cases: tuple[PlannedCase, ...] = ()
    first_repeats: int | None = None
    """Questions of each version and case that make the estimate; None: all. Follow-up questions come after these."""
    adaptive: bool = False
    """Cases on which the versions disagree are asked again, and these answers count in the test."""
    confirmation_answers: int = 5
    """Answers of each version that confirm the break of a critical case."""
    rounds: tuple[int, ...] = ()
    """Answers per case and version after each round of `repeats: auto`; empty: there are no rounds."""
    max_calls: int | None = None
    """Calls that these rounds may take, both versions of all cases together; None: there are no rounds."""
    apart: bool = False
    """Both versions are asked although they are the same: an A/A run."""
    judged_by: Mapping[str, str] = field(default_factory=dict)
    """Names of the models that score answers, in addition to code: judge and rubric, evaluators, embedding models."""
    labelled: tuple[LabelledAnswer, ...] | None = None
    """Answers that people have labelled, by which the judge is measured; None: there are no labels."""
    judge_distrust: tuple[str, ...] = ()
    """Reasons not to trust the judge that are known before it is asked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptPlan:
    """One affected prompt: what changed, and what is asked to find out what that does."""

    change: PromptChange
    task: Task

    @property
    def name(self) -> str:
        """Name of the prompt."""
        return self.change.name

    @property
    def has_first_goldens(self) -> bool:
        """Whether base has the prompt and none of its golden cases."""
        is_new = all(planned.change == "new" for planned in self.task.cases)
        return self.change.base is not None and is_new and not self.change.removed_cases

    @property
    def same_fingerprint(self) -> bool:
        """Both versions would be asked the same things, so one answer serves both arms."""
        base, head = self.change.base, self.change.head
        return not self.task.apart and base is not None and head is not None and base.fingerprint == head.fingerprint

    def with_cases(self, cases: tuple[PlannedCase, ...]) -> "PromptPlan":
        """Return the plan with these cases instead."""
        return replace(self, task=replace(self.task, cases=cases))

    def with_estimate(self, answers: int) -> "PromptPlan":
        """Return the plan with the estimate made by so many answers of each version and case."""
        return replace(self, task=replace(self.task, first_repeats=answers))
