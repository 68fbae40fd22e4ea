"""RunFacts: what a report shows of a run that is not in the gate's findings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from promptci import __version__
from promptci.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from promptci.gates.people.override_rule import Override
    from promptci.memory.gate_precision import Precision
    from promptci.memory.model import CaseRecord, VerdictRecord
    from promptci.report.model.report import RevisionView, SpendView


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFacts:
    """Where, when, by whom and at what cost."""

    kind: Literal["check", "run"] = "check"
    """`run` has one revision and no comparison."""
    base: RevisionView | None = None
    head: RevisionView
    repository: str | None = None
    """`owner/name`."""
    pull_request: int | None = None
    actor: str | None = None
    """Who triggered the run; None if unknown."""
    run_url: str | None = None
    """Address of the workflow run; None outside of GitHub Actions."""
    started_at: str | None = None
    """When the first request was made, in the format of `generated_at`."""
    generated_at: str | None = None
    """UTC, ISO 8601; None for reproducible output."""
    provider: str | None = None
    """Who answered; None if nothing was asked."""
    spend: SpendView
    notes: tuple[str, ...] = ()
    """Remarks about the run as a whole."""
    asking_notes: tuple[str, ...] = ()
    """How often the cases were asked, and what that cost less; nothing that a reader must act on."""
    site_url: str | None = None
    """Address of the site."""
    full_texts: bool = False
    """Keep the long texts of cases that passed, however large the run is."""
    requests_per_day: float | None = None
    """Turns cost per request into cost per month."""
    own_prices: frozenset[str] = frozenset()
    """Models whose price promptci.yml has."""
    judge_digest: str = ""
    """Digest of the judge's model and rubric; part of the identity of a judged case."""
    answers_are_fresh: bool = True
    """False for recorded answers, which tell the memory nothing new."""
    earlier_cases: Sequence[CaseRecord] = ()
    """Results of cases in earlier runs."""
    earlier_verdicts: Sequence[VerdictRecord] = ()
    """Verdicts of earlier checks, oldest first."""
    precision: Precision | None = None
    """Precision of earlier verdicts; None without a memory."""
    override: Override | None = None
    """Who let the blocked change through; None: nobody."""
    gate_source: str = "defaults"
    """Where the policy was read."""
    promptci_version: str = __version__
