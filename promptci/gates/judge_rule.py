"""Remarks on the judge of a prompt: they tell the reader what the marks are worth, and decide nothing by themselves."""

from collections.abc import Sequence

from promptci.gates.model import Reason
from promptci.scoring.comparison import Comparison
from promptci.verdict import Verdict

RULES = frozenset({"judge-not-trusted", "judge-not-calibrated", "judge-is-candidate"})


def judge_remarks(comparison: Comparison) -> Sequence[Reason]:
    """Say what a reader of judged marks must know about the judge."""
    judging = comparison.judging
    if judging is None:
        return []
    found = []
    if not judging.trust.trusted:
        why = "; ".join(judging.trust.distrust_reasons)
        text = f"The judge is not trusted ({why}), so its marks inform and do not block."
        found.append(_remark("judge-not-trusted", text))
    elif judging.trust.calibration is None:
        text = "The judge is not calibrated: no labels by people show how far its marks can be trusted."
        found.append(_remark("judge-not-calibrated", text))
    if judging.self_judging_models:
        models = ", ".join(judging.self_judging_models)
        text = f"The judge is the model under test ({models}): models favour their own answers."
        found.append(_remark("judge-is-candidate", text))
    return found


def _remark(rule: str, text: str) -> Reason:
    return Reason(rule=rule, verdict=Verdict.NO_CHANGE, text=text)
