"""AssertionResult and ScoredCase: how one answer did on one case."""

from dataclasses import field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from promptci.goldens.model import Case
from promptci.lazy_dataclass import dataclass
from promptci.runs.model import Answer
from promptci.runs.prompt_plan import Arm
from promptci.wording import short_digest


class PositionConsistency(StrEnum):
    """Whether a judge preferred the same one of two answers in both orders."""

    CONSISTENT = "consistent"
    FLIPPED = "flipped"
    """It changed its verdict when the answers changed places: the pair is unscored."""
    NOT_COMPARED = "not-compared"
    """The texts are equal, or one is missing, or a reply of the judge could not be parsed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeIdentity:
    """Which model judged, and by which text: results of different identities cannot be compared."""

    model: str
    fingerprint: str
    """SHA-256 of the evaluator's or the rubric's text and of what decides whether a score passes."""
    parameters: tuple[tuple[str, Any], ...] = ()
    """As first sent; an endpoint that refuses one is asked again without it."""

    def __str__(self) -> str:
        """Return the short form, such as `gpt-4o-mini sha256:1a2b3c4d5e6f`."""
        return f"{self.model} sha256:{short_digest(self.fingerprint)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class AssertionResult:
    """The result of one assertion on one answer."""

    type: str
    name: str
    passed: bool | None
    """None: unscored, which is missing data, such as a reply of a judge that cannot be parsed."""
    score: float | None
    """From 0 to 1; None when unscored."""
    reason: str
    """Why, for the report."""
    weight: float = 1.0
    label: tuple[str, str] | None = None
    """(expected, given) of a `one-of` assertion."""
    cost_usd: Decimal | None = None
    """What the judge's calls cost; None where the price is unknown, and for code."""
    position_consistency: PositionConsistency | None = None
    """Set where the answers of both versions were compared."""
    judge: JudgeIdentity | None = None
    """None: scored by code."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoredCase:
    """One answer to one case, scored."""

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
    """Weighted mean of the results, 0 to 1; None for missing data, and where none counts."""

    def __post_init__(self) -> None:
        """Compute once what each of the many readers of an answer needs."""
        object.__setattr__(self, "error", self._error())
        object.__setattr__(self, "passed", self._passed())
        object.__setattr__(self, "score", self._score())

    def _error(self) -> str | None:
        if self.answer.error is not None and not self.answer.error.caused_by_request:
            return f"{self.answer.error.kind}: {self.answer.error.message}"
        unscored = [result for result in self.results if result.passed is None and result.weight > 0]
        if unscored:
            return f"unscored: {unscored[0].name}: {unscored[0].reason}"
        return None if self.results else "nothing to score: the case has no assertions"

    def _passed(self) -> bool | None:
        counting = [result.passed for result in self.results if result.weight > 0]
        return None if self.error is not None or not counting else all(counting)

    def _score(self) -> float | None:
        if self.error is not None:
            return None
        weighted = [(result.score or 0.0, result.weight) for result in self.results if result.weight > 0]
        total = sum(weight for _, weight in weighted)
        return sum(score * weight for score, weight in weighted) / total if total else None

    @property
    def is_flipped(self) -> bool:
        """Whether a pairwise judge changed its verdict with the order of the answers, which leaves this unscored."""
        return any(
            result.position_consistency is PositionConsistency.FLIPPED and result.weight > 0 for result in self.results
        )

    @property
    def mark(self) -> float | None:
        """From 0 to 1: the score where the case is graded, else whether it passed; None for missing data."""
        if self.case.is_graded:
            return self.score
        return None if self.passed is None else float(self.passed)

    @property
    def text(self) -> str | None:
        """The answer's text, or None where there is none."""
        return self.answer.completion.text if self.answer.completion else None
