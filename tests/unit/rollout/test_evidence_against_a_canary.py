"""What may not hide a bad canary: lost lines of its own, and answers without a score."""

from dataclasses import replace
from datetime import timedelta

import pytest
from support import canary_traffic
from support.canary_traffic import CANARY, PROMPT, STABLE, START, Ways

from promptci.requestlog.model import Observation
from promptci.rollout.canary import CanaryDecision, CanaryOutcome, decide_canary
from promptci.rollout.deployment import Deployed
from promptci.rollout.forecast import forecast_decision
from promptci.rollout.metric_result import MetricResult
from promptci.rollout.policy import CanaryPolicy
from promptci.rollout.state import CanaryProgress
from promptci.rollout.window import SRM_LEVEL, split_p

NOW = START + timedelta(hours=30, minutes=5)
POLICY = CanaryPolicy()
PROGRESS = CanaryProgress(stable=STABLE, canary=CANARY, share=5, since=START)


def evaluate(requests: list[Observation]) -> CanaryDecision:
    deployed = Deployed(prompt=PROMPT, stable=STABLE, canary=CANARY, share=5)
    return decide_canary(deployed, PROGRESS, requests, POLICY, NOW)


def rules(decision: CanaryDecision) -> list[str]:
    return [finding.rule for finding in decision.findings]


def without_every_third(requests: list[Observation], arm: str) -> list[Observation]:
    lost = [request.id for request in requests if request.arm == arm][::3]
    return [request for request in requests if request.id not in set(lost)]


def test_lost_lines_of_the_canary_are_no_alibi() -> None:
    decision = evaluate(without_every_third(canary_traffic.traffic(30_000, Ways(quality=0.82)), "canary"))
    assert decision.window.srm_p < SRM_LEVEL
    assert decision.outcome is CanaryOutcome.ROLL_BACK
    assert rules(decision) == ["canary-worse", "canary-uneven-split"]


def test_lost_lines_of_a_canary_that_is_no_worse_hold_it() -> None:
    decision = evaluate(without_every_third(canary_traffic.traffic(30_000), "canary"))
    assert (decision.outcome, rules(decision)) == (CanaryOutcome.HOLD, ["canary-uneven-split"])


def test_lost_lines_of_the_stable_version_prove_nothing_against_the_canary() -> None:
    decision = evaluate(without_every_third(canary_traffic.traffic(30_000, Ways(quality=0.82)), "stable"))
    assert (decision.outcome, rules(decision)) == (CanaryOutcome.HOLD, ["canary-uneven-split"])


def test_bad_answers_without_a_score_hold_the_canary() -> None:
    requests = [
        replace(request, quality=None) if request.arm == "canary" and request.quality == 0 else request
        for request in canary_traffic.traffic(30_000, Ways(quality=0.82))
    ]
    decision = evaluate(requests)
    assert (decision.outcome, rules(decision)) == (CanaryOutcome.HOLD, ["canary-unscored"])


def test_scores_that_are_missing_alike_in_both_arms_hold_nothing() -> None:
    requests = [
        replace(request, quality=None) if index % 4 else request
        for index, request in enumerate(canary_traffic.traffic(30_000))
    ]
    assert evaluate(requests).window.unscored_p > SRM_LEVEL


@pytest.mark.parametrize(
    ("canary", "control", "share", "p"),
    [(1, 0, 0.5, 1.0), (3, 0, 0.5, 0.5), (0, 0, 0.5, 1.0), (5, 5, 1.0, 1.0)],
)
def test_the_split_test_by_hand(canary: int, control: int, share: float, p: float) -> None:
    assert split_p(canary, control, share) == pytest.approx(p)


def forecast(p_within_limit: float, users: int = 500, days: float = 1) -> float | None:
    metric = MetricResult(
        metric="quality",
        limit=0.02,
        margin=0.02,
        control_mean=0.96,
        canary_mean=0.96,
        p_within_limit=p_within_limit,
        alpha=0.001,
        promote_alpha=0.05,
    )
    facts = forecast_decision([metric], users, days * 86400, POLICY)
    return None if facts is None else facts.days


def test_a_step_takes_as_long_again_as_its_evidence_is_short_of() -> None:
    assert forecast(0.05**0.5) == pytest.approx(1.0)  # half of the evidence after one day
    assert forecast(0.05**0.25, days=2) == pytest.approx(6.0)
    assert forecast(1.0) is None  # nothing speaks for it yet
    assert forecast(0.5, users=20) is None
