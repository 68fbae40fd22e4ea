"""What may not hide a bad canary: lost lines of its own, and answers without a score."""

from dataclasses import replace
from datetime import timedelta

import pytest
from support import canary_traffic
from support.canary_traffic import CANARY, PROMPT, STABLE, START, Ways

from promptci.requestlog.columns import columns_of
from promptci.requestlog.model import Observation
from promptci.rollout import measure
from promptci.rollout.canary import CanaryDecision, CanaryOutcome, decide_canary
from promptci.rollout.deployment import Deployed
from promptci.rollout.facts import ForecastFacts
from promptci.rollout.forecast import forecast_decision
from promptci.rollout.metric_result import MetricResult
from promptci.rollout.policy import CanaryPolicy
from promptci.rollout.state import CanaryProgress
from promptci.rollout.window import SRM_LEVEL, ArmActivity, select_window, split_p
from promptci.runtime import point

NOW = START + timedelta(hours=30, minutes=5)
POLICY = CanaryPolicy()
PROGRESS = CanaryProgress(stable=STABLE, canary=CANARY, share=5, since=START)


def evaluate(requests: list[Observation]) -> CanaryDecision:
    deployed = Deployed(prompt=PROMPT, stable=STABLE, canary=CANARY, share=5)
    return decide_canary(deployed, PROGRESS, columns_of(requests), POLICY, NOW)


def rules(decision: CanaryDecision) -> list[str]:
    return [finding.rule for finding in decision.findings]


def without_every_third(requests: list[Observation], arm: str) -> list[Observation]:
    lost = set([request.id for request in requests if request.arm == arm][::3])
    return [request for request in requests if request.id not in lost]


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


def forecast(
    p_within_limit: float, users: int = 500, days: float = 1, new_users: int | None = None
) -> ForecastFacts | None:
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
    canary = ArmActivity(users=users, new_users=users // 2 if new_users is None else new_users)
    return forecast_decision([metric], canary, days * 86400, POLICY)


def days_of(facts: ForecastFacts | None) -> float | None:
    assert facts is not None
    return facts.days


def test_a_step_takes_as_long_again_as_its_evidence_is_short_of() -> None:
    assert days_of(forecast(0.05**0.5)) == pytest.approx(1.0)  # half of the evidence after one day
    assert days_of(forecast(0.05**0.25, days=2)) == pytest.approx(6.0)
    assert days_of(forecast(1.0)) is None  # nothing speaks for it yet


def test_a_step_with_few_users_says_when_it_has_enough_at_the_earliest() -> None:
    """What so few show may be chance, but how many come is known."""
    few = forecast(0.5, users=20)
    assert few is not None
    assert few.days == pytest.approx(9.0)
    assert few.earliest
    small_team = forecast(0.5, users=17, new_users=1)
    assert small_team is not None
    assert small_team.days is None
    assert small_team.reachable == pytest.approx(17, abs=0.1)
    assert forecast(0.5, users=9, days=0.5) is None
    assert forecast(0.5, users=0, days=2) is None


def test_users_who_come_back_are_no_new_users() -> None:
    """400 in the first half of a day and 200 in the second: 100, 50, … in the next, and 800 in all."""
    assert days_of(forecast(0.05 ** (600 / 700), users=600, new_users=200)) == pytest.approx(0.5)
    never = forecast(0.05 ** (600 / 801), users=600, new_users=200)
    assert never is not None
    assert never.days is None
    assert never.reachable == pytest.approx(800)
    nobody = forecast(0.05**0.5, users=600, new_users=0)
    assert nobody is not None
    assert (nobody.days, nobody.reachable) == (None, 600)
    requests = forecast_decision([], ArmActivity(users=600, new_users=200), 86400, replace(POLICY, per_user=False))
    assert requests is not None
    assert (requests.days, requests.reachable, requests.per_user) == (0, None, False)


def test_arms_that_other_models_answered_are_not_comparable() -> None:
    requests = [
        replace(observation, response_model="b" if observation.arm == "canary" else "a")
        for observation in canary_traffic.traffic(30_000)
    ]
    decision = evaluate(requests)
    assert (decision.outcome, rules(decision)) == (CanaryOutcome.HOLD, ["canary-different-models"])
    assert (decision.window.canary.response_models, decision.window.stable.response_models) == (("b",), ("a",))


def test_a_new_model_that_answers_both_arms_holds_nothing() -> None:
    requests = canary_traffic.traffic(30_000)
    half = [replace(request, response_model="a" if index < 15_000 else "b") for index, request in enumerate(requests)]
    assert evaluate(half).window.models_p > SRM_LEVEL
    assert evaluate(half).outcome is CanaryOutcome.PROMOTE


def test_a_canary_that_asks_for_another_model_is_answered_by_it() -> None:
    models = {"canary": ("mini", "mini-2"), "stable": ("large", "large-1")}
    requests = [
        replace(observation, model=models[observation.arm or ""][0], response_model=models[observation.arm or ""][1])
        for observation in canary_traffic.traffic(30_000)
    ]
    assert evaluate(requests).window.models_p == 1


SALT = f"{PROMPT}@{CANARY}"


def keyed(requests: list[Observation], salt: str = SALT, arm: str | None = None) -> tuple[list[Observation], list[int]]:
    """Requests with a key each, assigned by the hash under a salt, and the points of their keys."""
    points = [point(salt, request.id) for request in requests]
    arms = ["canary" if number * 10_000 < 500 << 32 else "stable" for number in points]
    versions = {"stable": STABLE, "canary": CANARY}
    results = [
        replace(request, arm=arm, version=versions[arm], key=request.id)
        for request, arm in zip(requests, arms, strict=True)
    ]
    return results, [point(SALT, request.id) for request in requests]


def decide_keyed(requests: list[Observation], points: list[int]) -> CanaryDecision:
    deployed = Deployed(prompt=PROMPT, stable=STABLE, canary=CANARY, share=5)
    return decide_canary(deployed, PROGRESS, columns_of(requests, points=points), POLICY, NOW)


def test_arms_are_computed_again_where_the_key_is_logged() -> None:
    requests, points = keyed(canary_traffic.traffic(30_000))
    right = decide_keyed(requests, points)
    assert (right.outcome, right.window.wrong_arms) == (CanaryOutcome.PROMOTE, 0)
    assert right.window.keyed > 29_000  # all but the youngest
    unlogged = decide_keyed([replace(request, arm=None) for request in requests], points)
    assert (unlogged.outcome, unlogged.window.canary.users) == (CanaryOutcome.PROMOTE, right.window.canary.users)


def test_an_application_that_assigns_by_something_else_is_held() -> None:
    decision = decide_keyed(*keyed(canary_traffic.traffic(30_000), salt="another"))
    assert (decision.outcome, rules(decision)) == (CanaryOutcome.HOLD, ["canary-wrong-arms"])


def test_short_and_full_names_of_a_version_are_the_same() -> None:
    full = {"v1": f"prompts/{PROMPT}/v1", "v2": f"prompts/{PROMPT}/v2"}
    requests = [
        replace(observation, version=full[observation.version]) for observation in canary_traffic.traffic(30_000)
    ]
    assert evaluate(requests).window.other_versions == 0


def test_a_score_counts_from_when_it_came() -> None:
    """A late score adds to the evidence and changes none of it: what was shown stays shown."""
    late = [
        replace(observation, scored=observation.time + timedelta(hours=1 + 5 * (observation.quality == 0)))
        for observation in canary_traffic.traffic(8000, Ways(quality=0.9), share=25, hours=20)
    ]
    progress = PROGRESS.model_copy(update={"share": 25})
    policy = replace(POLICY, limits=(("quality", 0.02),))
    seen = [
        select_window(columns_of(late), progress, policy, START + timedelta(hours=hours)).requests
        for hours in (6, 12, 24)
    ]
    (first,), (second,), (third,) = (measure.measure_metrics(requests, policy) for requests in seen)
    assert 0 < first.canary_n < second.canary_n < third.canary_n
    assert third.p_worse <= second.p_worse <= first.p_worse
    assert second.path[0] == first.path[0]
