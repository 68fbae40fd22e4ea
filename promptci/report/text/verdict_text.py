"""A prompt's verdict in one sentence: the summaries of the findings that decided it, the weightiest first. Pure."""

from collections.abc import Sequence

from promptci.findings import Finding
from promptci.gates.facts import QualityFacts
from promptci.present.finding_text import quality
from promptci.present.finding_text.describe import describe
from promptci.present.finding_text.text import capitalize
from promptci.scoring.prompt_run import PromptRun

RANK = (
    "deleted",
    "unreached-change",
    "missing-goldens",
    "no-cases",
    "nothing-evaluated",
    "error-rate",
    "regression",
    "critical",
    "critical-never-answered",
    "min-quality",
    "cost",
    "p95",
    "cut-off",
    "critical-unanswered",
    "unanswered",
    "cannot-tell",
    "nothing-to-lose",
    "nothing-required",
    "not-comparable",
    "no-pairs",
    "no-answered-pairs",
    "not-worse",
    "new-prompt",
)
"""Which finding leads the sentence where several decide."""
LIMITS = ("cost", "p95")
"""Rules that say nothing about the answers."""


def sentence(run: PromptRun) -> str:
    """Return how a prompt did, such as `Got worse: 58 of 60 cases passed before, 31 of 60 after (−45 points, …).` ."""
    return capitalize(clause(run)) + "."


def clause(run: PromptRun) -> str:
    """Return the same, to be read after the prompt's name; of a limit that blocks alone, what quality did before it."""
    deciding = deciding_findings(run)
    summaries = "; it also ".join(describe(finding).summary for finding in deciding) if deciding else "was not tested"
    return f"{_quality_before_limits(run, deciding)}{summaries}{_quality_beside_critical(run, deciding)}"


def _quality_beside_critical(run: PromptRun, deciding: Sequence[Finding]) -> str:
    """Return `; over all cases 61 of 61 → 60 of 61`, where critical cases alone block; else nothing."""
    if not deciding or any(not finding.rule.startswith("critical") for finding in deciding):
        return ""
    all_facts = [finding.facts for finding in run.findings if finding.rule in ("not-worse", "cannot-tell")]
    measured = [facts for facts in all_facts if isinstance(facts, QualityFacts)]
    return f"; over all cases {quality.sides(measured[0])}" if measured else ""


def _quality_before_limits(run: PromptRun, deciding: Sequence[Finding]) -> str:
    """Return `got better (0 of 24 → 24 of 24) but`, where cost or latency alone blocks; else nothing."""
    if not deciding or any(finding.rule not in LIMITS for finding in deciding):
        return ""
    kept = [finding.facts for finding in run.findings if finding.rule == "not-worse"]
    return next((f"{quality.brief_hold(facts)} but " for facts in kept if isinstance(facts, QualityFacts)), "")


def brief(run: PromptRun) -> str:
    """Return the weightiest deciding finding in a few words, for a line that names other prompts too."""
    finding = deciding_findings(run)[0]
    facts = finding.facts
    return quality.brief_loss(facts) if isinstance(facts, QualityFacts) else describe(finding).summary


def deciding_findings(run: PromptRun) -> list[Finding]:
    """Return the findings that made the verdict, the weightiest first."""
    deciding = [finding for finding in run.findings if finding.verdict is run.verdict]
    return sorted(deciding, key=lambda finding: RANK.index(finding.rule) if finding.rule in RANK else len(RANK))


def leading_rule(run: PromptRun) -> str:
    """Return the rule of the weightiest deciding finding; empty where there is none."""
    deciding = deciding_findings(run)
    return deciding[0].rule if deciding else ""
