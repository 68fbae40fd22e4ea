"""GatePolicy: requirements that a prompt change must meet, and who may approve or override. Parts of promptci.yml."""

from collections.abc import Mapping
from dataclasses import field, replace
from enum import StrEnum
from typing import Any

from promptci.lazy_dataclass import dataclass


class GateMode(StrEnum):
    """Whether the gate may block."""

    BLOCK = "block"
    ADVISE = "advise"


class OnInconclusive(StrEnum):
    """Whether `inconclusive` blocks the merge."""

    WARN = "warn"
    BLOCK = "block"


class OnMissingGoldens(StrEnum):
    """Verdict for a prompt without goldens."""

    ERROR = "error"
    WARN = "warn"
    """`inconclusive`."""


class About(StrEnum):
    """What a verdict is about."""

    GOLDENS = "goldens"
    """These very cases: the golden set is a test suite."""
    INPUTS = "inputs"
    """Inputs like them: the golden set is a sample of what users send."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GatePolicy:
    """Thresholds of the gate; all rates are shares from 0 to 1."""

    mode: GateMode = GateMode.BLOCK
    about: About = About.GOLDENS
    max_drop: float = 0.05
    """Points of quality worth blocking for: the margin."""
    alpha: float = 0.05
    """How often a change that changes nothing may be blocked, by all rules together."""
    on_inconclusive: OnInconclusive = OnInconclusive.WARN
    on_missing_goldens: OnMissingGoldens = OnMissingGoldens.ERROR
    min_quality: float | None = None
    """Quality that head must reach over all of its cases."""
    max_cost_increase: float | None = 0.25
    max_p95_increase: float | None = 0.30
    max_error_rate: float = 0.05
    """Share of answers that may be missing before nothing can be concluded."""
    by_prompt: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)
    """Fields that single prompts have of their own, by the prompt's name."""

    def for_prompt(self, name: str) -> "GatePolicy":
        """Return the policy for one prompt."""
        own = self.by_prompt.get(name)
        return replace(self, **own) if own else self


@dataclass(frozen=True, kw_only=True, slots=True)
class OverridePolicy:
    """Who may let a blocked change through, and how: section `merge_override`."""

    label: str | None = None
    """None: nobody may."""
    permission: str = "maintain"
    """The least permission in the repository."""
    own_change: bool = False
    """Whether the author of the pull request may."""
    errors: bool = False
    """Whether a run that measured nothing may be overridden."""
    approvals: bool = False
    """Whether a missing approval may be overridden."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalRule:
    """Whose review a change of some prompts takes: an item of `approvals.rules`."""

    prompts: str
    """Glob of prompt files."""
    role: str
    by: tuple[str, ...]
    """Logins, and teams as `@organization/team`."""
    count: int = 1
    risk: str | None = None
    """Risk class of these prompts, which stands in the tags of their releases."""
