"""RunFacts: what the report says about a run that is not in the gate's findings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from promptci import __version__
from promptci.history.gate_precision import Precision
from promptci.history.model import CaseRecord, VerdictRecord
from promptci.report.model.report import RevisionView, SpendView
from promptci.scoring.judges.pairwise import PositionBias
from promptci.scoring.judges.probes import ProbeOutcome


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFacts:
    """Where, when, by whom and for how much."""

    kind: Literal["check", "run"] = "check"
    """`run` has one revision and no comparison."""
    base: RevisionView | None = None
    head: RevisionView
    repository: str | None = None
    """`owner/name`."""
    pull_request: int | None = None
    actor: str | None = None
    """Who set off the run; None where nobody says."""
    run_url: str | None = None
    """Where the workflow's run is seen; None outside of GitHub Actions."""
    started_at: str | None = None
    """When asking began, as `generated_at`."""
    generated_at: str | None = None
    """UTC, ISO 8601; None for output that is the same byte for byte whenever it is made."""
    provider: str | None = None
    """Who answered; None where nobody was asked."""
    spend: SpendView
    notes: tuple[str, ...] = ()
    """What a reader should know about the run as a whole."""
    requests_per_day: float | None = None
    """Turns cost per request into cost per month."""
    probes: tuple[ProbeOutcome, ...] = ()
    """What the judges made of useless answers."""
    position_bias: tuple[PositionBias, ...] = ()
    """How often judges changed their verdict with the order of the answers."""
    judge: str = ""
    """Digest of what a judge goes by: with another judge, a case is another question."""
    asked_afresh: bool = True
    """False where the answers were recorded beforehand, so that they show nothing new."""
    earlier: Sequence[CaseRecord] = ()
    """How cases fared in earlier runs."""
    verdicts: Sequence[VerdictRecord] = ()
    """What earlier checks found, oldest first."""
    precision: Precision | None = None
    """Of earlier verdicts; None where no history is kept."""
    gate_source: str = "defaults"
    """Where the policy was read, in words."""
    promptci_version: str = __version__
