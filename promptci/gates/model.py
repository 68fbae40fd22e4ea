"""GateReport: the verdict of each prompt and of the run, with the findings behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from promptci import verdict
from promptci.config.policy import GatePolicy
from promptci.findings import Finding
from promptci.verdict import Verdict

if TYPE_CHECKING:
    from promptci.scoring.comparability import Comparability
    from promptci.scoring.comparison import Comparison


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """One prompt's verdict."""

    comparison: Comparison
    verdict: Verdict
    findings: tuple[Finding, ...]
    adjusted_p: float | None = None
    """After Holm's correction over the prompts of this run; None where the versions are not compared."""
    comparability: Comparability | None = None
    """What the comparison rests on; None where nothing is compared."""

    @property
    def mismatches(self) -> tuple[str, ...]:
        """Why the versions cannot be compared; empty if they can."""
        return self.comparability.mismatches if self.comparability else ()


@dataclass(frozen=True, kw_only=True, slots=True)
class GateReport:
    """The run's verdict."""

    decisions: tuple[Decision, ...]
    policy: GatePolicy
    problems: tuple[Finding, ...] = ()
    """Findings about the run as a whole: nothing evaluated, deadline reached, …"""
    pooled: Finding | None = None
    """What the prompts show together; None where fewer than two can be pooled."""

    @property
    def verdict(self) -> Verdict:
        """The worst of all."""
        findings = [*self.problems, *([self.pooled] if self.pooled else [])]
        return verdict.worst([*(d.verdict for d in self.decisions), *(f.verdict for f in findings)])

    @property
    def exit_code(self) -> int:
        """Exit code of the process."""
        return verdict.exit_code(
            self.verdict,
            advise=self.policy.mode == "advise",
            inconclusive_blocks=self.policy.on_inconclusive == "block",
        )
