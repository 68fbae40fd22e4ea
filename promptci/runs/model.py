"""PromptPlan, Question and Answer: what changed, what is asked of which version, and what came back."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar

from annotated_types import Ge

from promptci.files.json_codec import STRICT_CONFIG, JsonCodec
from promptci.goldens.model import Case
from promptci.prompts.model import Prompt
from promptci.providers.base import Completion, Request


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
    why: tuple[str, ...] = ()
    """Why it is affected, in words: `prompt changed`, `goldens changed`, …"""
    goldens_paths: tuple[str, ...] = ()
    missing_goldens: bool = False
    """No golden set matched and the prompt has no testData."""
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
    apart: bool = False
    """Both versions are asked although they are the same: an A/A run."""
    judged_by: Mapping[str, str] = field(default_factory=dict)
    """Who scores the answers beside code, by name: judge and rubric, evaluators, embedding models."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One call to make."""

    prompt: str
    """Prompt's name."""
    arm: Arm
    case_id: str
    replicate: int
    request: Request

    @property
    def key(self) -> tuple[str, Arm, str, int]:
        """Names the question within a run."""
        return (self.prompt, self.arm, self.case_id, self.replicate)

    def answer(
        self,
        *,
        completion: Completion | None = None,
        error: "AnswerError | None" = None,
        cost_usd: Decimal | None = None,
        cached: bool = False,
    ) -> "Answer":
        """Return the answer to this question with what came back."""
        return Answer(
            prompt=self.prompt,
            arm=self.arm,
            case_id=self.case_id,
            replicate=self.replicate,
            request_key=self.request.key,
            completion=completion,
            error=error,
            cost_usd=cost_usd,
            cached=cached,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerError:
    """Why there is no answer."""

    __pydantic_config__: ClassVar = STRICT_CONFIG
    kind: str
    message: str
    caused_by_request: bool = False
    """The request itself makes the call fail: it counts as a wrong answer of its version, not as a missing one."""


def _journal_key(name: str) -> str:
    """Return the journal's shorter name of a field of Answer."""
    return {"case_id": "case", "request_key": "request"}.get(name, name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came back for one question: a completion or an error, never both."""

    __pydantic_config__: ClassVar = {**STRICT_CONFIG, "alias_generator": _journal_key}
    prompt: str
    arm: Arm
    case_id: str
    replicate: Annotated[int, Ge(0)]
    request_key: str
    completion: Completion | None = None
    error: AnswerError | None = None
    cost_usd: Annotated[Decimal, Ge(0)] | None = None
    """Price of this call when it was made; None where the model's price is unknown."""
    cached: bool = False
    """Taken from the cache or shared with the other arm: cost nothing now."""

    @property
    def key(self) -> tuple[str, Arm, str, int]:
        """Names the question within a run."""
        return (self.prompt, self.arm, self.case_id, self.replicate)


ANSWER_CODEC = JsonCodec(Answer)
"""Answers in the journal."""
