"""What the rules about a baseline that is missing, worthless or not comparable measured, as data."""

from typing import Literal, NamedTuple

from promptci.gates.facts import QualityFacts


class NewPromptFacts(NamedTuple):
    """A prompt without an earlier version."""

    passed: int
    cases: int
    added: bool
    """False where only one revision was looked at."""
    min_quality: float | None = None
    """The limit on quality; None: none is set."""
    critical: int = 0
    """Cases that must pass."""
    is_below: bool = False
    """The quality is below its limit, without being shown to be."""
    crosses_limit: bool = False
    """Another finding fails the prompt: a critical case, or quality shown to be below its limit."""

    @property
    def is_limited(self) -> bool:
        """Whether any absolute limit is set."""
        return self.min_quality is not None or self.critical > 0


class SharedCause(NamedTuple):
    """What explains that all answers are wrong: `text` begins the one answer, or is the tag with which all begin."""

    kind: Literal["identical-requests", "equal-answers", "same-tag"]
    text: str = ""


class NothingToLose(NamedTuple):
    """The base version passes too few cases for a regression to show."""

    passed: int
    cases: int
    shared_cause: SharedCause | None
    """Where all of them fail alike."""


class MismatchFacts(NamedTuple):
    """Why two versions cannot be compared."""

    mismatches: tuple[str, ...]


class NoCommonCases(NamedTuple):
    """Golden sets that have no case in common."""

    is_first: bool = False
    """The base revision has no golden case of the prompt."""
    uncommitted: tuple[str, ...] = ()
    """Configuration and golden files that only the working tree has."""


class ComparedCases(NamedTuple):
    """Cases that are the same at both revisions."""

    compared: int


class MissingGoldens(NamedTuple):
    """A prompt that no golden set matches at head."""

    removed: int = 0
    """Cases that base has and the change deletes."""
    left_behind: bool = False
    """The goldens of base are still there, under a name that no longer is the prompt's."""
    old_rule: str = ""
    """What the quality rule found by base's goldens: `regression`, …; empty where nothing was compared."""
    by_old: QualityFacts | None = None
