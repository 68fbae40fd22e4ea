"""Remarks on a judge decide nothing and hide nothing."""

from dataclasses import replace

import pytest
from support.comparison_notation import comparison

from promptci.gates import judge_rule
from promptci.scoring.judges import trust
from promptci.scoring.judges.trust import Calibration, JudgeSummary
from promptci.verdict import Verdict

GOOD = Calibration(pairs=((True, True), (False, False)) * 20)
POOR = Calibration(pairs=((True, False), (False, True)) * 20)


@pytest.mark.parametrize(
    ("judging", "said"),
    [
        (None, {}),
        (JudgeSummary(trust=trust.assess_trust(GOOD, 0.6)), {}),
        (
            JudgeSummary(trust=trust.assess_trust(POOR, 0.6, ["it passed an empty answer"])),
            {
                "judge-not-trusted": "The judge is not trusted (kappa −1.00 with 40 labels is below 0.6; it passed an"
                " empty answer), so its marks inform and do not block."
            },
        ),
        (
            JudgeSummary(trust=trust.assess_trust(None, 0.6), self_judging_models=("m",)),
            {
                "judge-not-calibrated": "The judge is not calibrated: no labels by people show how far its marks can"
                " be trusted.",
                "judge-is-candidate": "The judge is the model under test (m): models favour their own answers.",
            },
        ),
    ],
    ids=["no judge", "trusted", "not trusted", "not calibrated"],
)
def test_what_a_reader_must_know_is_said(judging: JudgeSummary | None, said: dict[str, str]) -> None:
    found = judge_rule.judge_remarks(replace(comparison("a 1 0"), judging=judging))
    assert {reason.rule: reason.text for reason in found} == said
    assert {reason.verdict for reason in found} <= {Verdict.NO_CHANGE}
    assert set(said) <= judge_rule.RULES
