"""Remarks on the judge of a prompt: they describe how reliable its scores are, and decide nothing."""

from collections.abc import Sequence

from promptci.findings import Finding, NoFacts, remark
from promptci.gates.facts import DistrustFacts, JudgeCandidates
from promptci.scoring.prompt_run import PromptRun

RULES = frozenset({"judge-not-trusted", "judge-not-calibrated", "judge-is-candidate"})


def judge_remarks(run: PromptRun) -> Sequence[Finding]:
    """Return what a reader of judged marks must know about the judge."""
    judging, name = run.judging, run.name
    if judging is None:
        return []
    findings = []
    if not judging.trust.trusted:
        findings.append(remark("judge-not-trusted", name, DistrustFacts(reasons=tuple(judging.trust.distrust_reasons))))
    elif judging.trust.calibration is None:
        findings.append(remark("judge-not-calibrated", name, NoFacts()))
    if judging.self_judging_models:
        findings.append(remark("judge-is-candidate", name, JudgeCandidates(models=tuple(judging.self_judging_models))))
    return findings
