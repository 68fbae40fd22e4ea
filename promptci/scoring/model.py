"""Mark and ScoredCase: how one answer did against one case."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from promptci.goldens.model import Case
from promptci.runs.model import Answer, Arm


class PositionConsistency(StrEnum):
    """What came of comparing two answers in both orders."""

    CONSISTENT = "consistent"
    FLIPPED = "flipped"
    """Another verdict when the answers changed places."""
    NOT_COMPARED = "not-compared"
    """The texts are the same, or one is missing, or the judge could not be understood."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeIdentity:
    """Who judged, by what: marks of different identities cannot be compared."""

    model: str
    fingerprint: str
    """SHA-256 of the evaluator's or the rubric's text, with what decides whether a mark passes."""
    parameters: tuple[tuple[str, Any], ...] = ()
    """As first asked; an endpoint that refuses one is asked without."""

    def __str__(self) -> str:
        """Give the short form, such as `gpt-4o-mini sha256:1a2b3c4d`."""
        return f"{self.model} sha256:{self.fingerprint[:8]}"


@dataclass(frozen=True, kw_only=True, slots=True)
class AssertionResult:
    """The outcome of one assertion on one answer."""

    type: str
    name: str
    passed: bool | None
    """None: unscored, missing data (a judge that gave no readable verdict)."""
    score: float | None
    """From 0 to 1; None when unscored."""
    reason: str
    """Why, in words, for the report."""
    weight: float = 1.0
    label: tuple[str, str] | None = None
    """(expected, given) of a `one-of` assertion."""
    cost_usd: Decimal | None = None
    """What a judge's call cost; None for code or unknown price."""
    position_consistency: PositionConsistency | None = None
    """Of a mark that compares the answers of both versions; None for every other."""
    judge: JudgeIdentity | None = None
    """Who gave it; None: code did."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoredCase:
    """One answer to one case, marked."""

    case: Case
    arm: Arm
    replicate: int
    answer: Answer
    results: tuple[AssertionResult, ...] = ()
    error: str | None = field(init=False, repr=False, compare=False)
    """Why this is missing data, or None."""
    passed: bool | None = field(init=False, repr=False, compare=False)
    """True when every assertion that counts holds; None for missing data, and where none counts."""
    score: float | None = field(init=False, repr=False, compare=False)
    """Weighted mean of the marks, 0 to 1; None for missing data, and where none counts."""

    def __post_init__(self) -> None:
        """Compute once what each of the many readers of an answer needs."""
        object.__setattr__(self, "error", self._error())
        object.__setattr__(self, "passed", self._passed())
        object.__setattr__(self, "score", self._score())

    def _error(self) -> str | None:
        if self.answer.error is not None:
            return f"{self.answer.error.kind}: {self.answer.error.message}"
        unscored = [mark for mark in self.results if mark.passed is None and mark.weight > 0]
        if unscored:
            return f"unscored: {unscored[0].name}: {unscored[0].reason}"
        return None if self.results else "nothing to mark: the case has no assertions"

    def _passed(self) -> bool | None:
        counting = [mark.passed for mark in self.results if mark.weight > 0]
        return None if self.error is not None or not counting else all(counting)

    def _score(self) -> float | None:
        if self.error is not None:
            return None
        weighted = [(mark.score or 0.0, mark.weight) for mark in self.results if mark.weight > 0]
        total = sum(weight for _, weight in weighted)
        return sum(score * weight for score, weight in weighted) / total if total else None

    @property
    def text(self) -> str | None:
        """The answer's text, or None where there is none."""
        return self.answer.completion.text if self.answer.completion else None
