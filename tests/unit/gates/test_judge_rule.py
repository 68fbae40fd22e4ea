"""Remarks on a judge decide nothing and hide nothing."""

from dataclasses import replace

import pytest
from support.comparison_notation import comparison

from promptci.gates import judge_rule
from promptci.present.finding_text.describe import describe
from promptci.scoring.judges import trust
from promptci.scoring.judges.trust import Calibration, JudgeSummary
from promptci.verdict import Verdict

GOOD = Calibration(pairs=((True, True), (False, False)) * 30)
POOR = Calibration(pairs=((True, False), (False, True)) * 30)


@pytest.mark.parametrize(
    ("judging", "message"),
    [
        (None, {}),
        (JudgeSummary(trust=trust.assess_trust(GOOD, 0.6)), {}),
        (
            JudgeSummary(trust=trust.assess_trust(POOR, 0.6, ["it passed an empty answer"])),
            {
                "judge-not-trusted": "Has a judge that is not trusted: it agrees with people no more than chance"
                " (kappa −1.00 with 60 labels, 0.6 is needed); it passed an empty answer. Its scores are"
                " advisory and do not block."
            },
        ),
        (
            JudgeSummary(trust=trust.assess_trust(None, 0.6), self_judging_models=("m",)),
            {
                "judge-not-calibrated": "Has a judge that is not calibrated. No labels by people show how far its"
                " scores can be trusted.",
                "judge-is-candidate": "Is judged by the model under test (m). Models favor their own answers.",
            },
        ),
    ],
    ids=["no judge", "trusted", "not trusted", "not calibrated"],
)
def test_what_a_reader_must_know_is_said(judging: JudgeSummary | None, message: dict[str, str]) -> None:
    findings = judge_rule.judge_remarks(replace(comparison("a 1 0"), judging=judging))
    assert {finding.rule: describe(finding).text for finding in findings} == message
    assert {finding.verdict for finding in findings} <= {Verdict.NO_CHANGE}
    assert set(message) <= judge_rule.RULES
