"""GateReport: the decided prompts of a run, and the verdict of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from promptci import verdict
from promptci.config.policy import GatePolicy
from promptci.findings import Finding
from promptci.lazy_dataclass import dataclass
from promptci.verdict import Verdict

if TYPE_CHECKING:
    from promptci.scoring.prompt_run import PromptRun


@dataclass(frozen=True, kw_only=True, slots=True)
class GateReport:
    """The run's verdict."""

    prompts: tuple[PromptRun, ...]
    """Each with its verdict and findings."""
    policy: GatePolicy
    problems: tuple[Finding, ...] = ()
    """Findings about the run as a whole: nothing evaluated, deadline reached, …"""
    pooled: Finding | None = None
    """What the prompts show together; None where fewer than two can be pooled."""

    @property
    def verdict(self) -> Verdict:
        """The worst of all."""
        findings = [*self.problems, *([self.pooled] if self.pooled else [])]
        return verdict.worst([*(run.verdict for run in self.prompts), *(f.verdict for f in findings)])

    @property
    def exit_code(self) -> int:
        """Exit code of the process."""
        return verdict.exit_code(
            self.verdict,
            advise=self.policy.mode == "advise",
            inconclusive_blocks=self.policy.on_inconclusive == "block",
        )
