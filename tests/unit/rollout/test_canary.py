"""Every outcome of a canary, by made-up canary_traffic."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

import pytest
from support import canary_traffic
from support.canary_traffic import CANARY, PROMPT, STABLE, START, Ways
from support.daily import first_daily

from promptci.present.finding_text.describe import describe
from promptci.requestlog.columns import columns_of
from promptci.requestlog.model import Observation
from promptci.rollout.canary import CanaryDecision, CanaryOutcome, decide_canary
from promptci.rollout.deployment import Deployed
from promptci.rollout.policy import CanaryPolicy
from promptci.rollout.state import CanaryProgress

DEPLOYED = Deployed(prompt=PROMPT, stable=STABLE, canary=CANARY, share=5)
STANDING = CanaryProgress(stable=STABLE, canary=CANARY, share=5, since=START)
NOW = START + timedelta(hours=30, minutes=5)
POLICY = CanaryPolicy()
same = cache(lambda: canary_traffic.traffic(30_000))
columns_of_same = cache(lambda: columns_of(same()))


def texts(decision: CanaryDecision) -> tuple[str, ...]:
    return tuple(describe(finding).text for finding in decision.findings)


def regressed(decision: CanaryDecision) -> str:
    return ", ".join(metric.metric for metric in decision.metrics if metric.regressed)


def at(
    requests: Sequence[Observation] | None = None,
    *,
    deployed: Deployed = DEPLOYED,
    progress: CanaryProgress | None = STANDING,
    policy: CanaryPolicy = POLICY,
    now: datetime = NOW,
) -> CanaryDecision:
    columns = columns_of_same() if requests is None else columns_of(requests)
    return decide_canary(deployed, progress, columns, policy, now)


def test_a_canary_that_is_no_worse_goes_to_the_next_step() -> None:
    canary_decision = at()
    assert (canary_decision.outcome, canary_decision.share, canary_decision.new_share) == (CanaryOutcome.PROMOTE, 5, 25)
    assert canary_decision.progress == STANDING.model_copy(update={"share": 25, "since": NOW})
    assert [metric.within_limit for metric in canary_decision.metrics] == [True] * 4


@pytest.mark.parametrize(
    ("ways", "metric"),
    [
        (Ways(quality=0.82), "Quality: 8"),
        (Ways(errors=0.08), "Failed requests: "),
        (Ways(latency_ms=1600), "Requests slower than the control's p95: "),
        (Ways(cost_usd=0.004), "Cost: +"),
    ],
)
def test_a_canary_that_is_worse_is_rolled_back(ways: Ways, metric: str) -> None:
    canary_decision = at(canary_traffic.traffic(30_000, ways))
    assert (canary_decision.outcome, canary_decision.new_share) == (CanaryOutcome.ROLL_BACK, 0)
    assert [reason.startswith(metric) for reason in texts(canary_decision)] == [True]
    assert canary_decision.progress == STANDING.model_copy(
        update={"share": 0, "rolled_back": NOW, "rollback_reason": regressed(canary_decision)}
    )


def test_a_rollback_counts_the_requests_and_users_that_it_comes_too_late_for() -> None:
    requests = canary_traffic.traffic(30_000, Ways(quality=0.82))
    served = [request for request in requests if request.arm == "canary"]
    affected = at(requests).affected
    assert affected is not None
    assert (affected.requests, affected.users) == (len(served), len({request.user for request in served}))
    unnamed = at([replace(request, user=None) for request in requests]).affected
    assert unnamed is not None
    assert (unnamed.requests, unnamed.users) == (len(served), None)
    assert at(canary_traffic.traffic(30_000)).affected is None


def test_complaints_are_tested_where_they_have_a_limit() -> None:
    requests = canary_traffic.traffic(30_000, Ways(complaints=0.08))
    assert at(requests).outcome is CanaryOutcome.PROMOTE
    canary_decision = at(requests, policy=replace(POLICY, limits=(*POLICY.limits, ("signals", 0.02))))
    assert (canary_decision.outcome, [finding.rule for finding in canary_decision.findings]) == (
        CanaryOutcome.HOLD,
        ["canary-signal-worse"],
    )
    assert (texts(canary_decision)[0][:10], canary_decision.new_share) == ("Complaints", 5)


def test_a_worsening_that_is_shown_but_under_the_limit_does_not_end_a_canary() -> None:
    canary_decision = at(
        canary_traffic.traffic(30_000, Ways(quality=0.9)), policy=replace(POLICY, limits=(("quality", 0.2),))
    )
    (measured,) = canary_decision.metrics
    assert measured.p_worse < measured.alpha
    assert canary_decision.outcome is CanaryOutcome.PROMOTE


@pytest.mark.parametrize(
    ("canary", "stable"), first_daily([(Ways(errors=0.3), Ways(errors=0.3)), (Ways(errors=0.95), Ways(errors=0.95))])
)
def test_an_outage_that_hits_both_arms_is_not_blamed_on_the_prompt(canary: Ways, stable: Ways) -> None:
    """FAULTS 129: the last third of the time, the provider fails for everybody."""
    broken = canary_traffic.traffic(30_000, canary, stable)
    canary_decision = at(same()[:20_000] + broken[20_000:])
    assert (canary_decision.outcome, canary_decision.new_share) == (CanaryOutcome.HOLD, 5)
    assert "the provider's problem, not the canary's" in texts(canary_decision)[0]


def test_a_canary_that_fails_more_than_a_failing_control_is_still_rolled_back() -> None:
    canary_decision = at(canary_traffic.traffic(30_000, Ways(errors=0.6), Ways(errors=0.3)))
    assert canary_decision.outcome is CanaryOutcome.ROLL_BACK


@pytest.mark.parametrize("arm", ["stable", "canary", None])
def test_no_data_is_no_reason_to_go_on(arm: str | None) -> None:
    """FAULTS 123: none at all, or none of one arm."""
    canary_decision = at([observation for observation in same() if arm and observation.arm != arm][:90])
    assert (canary_decision.outcome, canary_decision.new_share) == (CanaryOutcome.HOLD, 5)
    assert any("Without data a canary does not go on" in reason for reason in texts(canary_decision))


def test_before_the_lag_is_over_it_says_when_the_first_requests_count() -> None:
    canary_decision = at([], now=START + timedelta(minutes=1))
    assert canary_decision.outcome is CanaryOutcome.WAIT
    first = f"the first from {START + timedelta(minutes=10):%Y-%m-%d %H:%M} UTC on"
    assert texts(canary_decision)[0].startswith("No request of the stable arm counts yet")
    assert first in texts(canary_decision)[0]


def test_an_arm_that_falls_silent_is_a_split_that_is_not_as_configured() -> None:
    canary_decision = at([observation for observation in same() if observation.arm == "stable"])
    assert canary_decision.outcome is CanaryOutcome.HOLD
    assert "0% of the users are in the canary (0 of 28,426), but 5% should be" in texts(canary_decision)[0]


def test_telemetry_that_is_late_holds() -> None:
    """FAULTS 123: delayed by more than two hours."""
    canary_decision = at(now=NOW + timedelta(hours=2, minutes=10))
    assert canary_decision.outcome is CanaryOutcome.HOLD
    assert texts(canary_decision)[0].startswith("The newest request of the stable arm is from 2026-03-03 15:59 UTC.")
    assert at(now=NOW + timedelta(hours=2)).outcome is CanaryOutcome.PROMOTE


def test_what_was_shown_before_the_log_fell_silent_still_counts() -> None:
    canary_decision = at(canary_traffic.traffic(30_000, Ways(quality=0.8)), now=NOW + timedelta(hours=9))
    assert canary_decision.outcome is CanaryOutcome.ROLL_BACK


def test_right_after_a_step_there_is_nothing_to_hold_for() -> None:
    assert at([], now=START + timedelta(hours=2)).outcome is CanaryOutcome.WAIT
    assert at([], now=START + timedelta(hours=3)).outcome is CanaryOutcome.HOLD


def test_marks_that_never_come_hold_and_do_not_roll_back() -> None:
    """FAULTS 127: the judge fails every time."""
    canary_decision = at([replace(observation, quality=None) for observation in same()])
    assert canary_decision.outcome is CanaryOutcome.HOLD
    assert texts(canary_decision) == (
        (
            "The log has no values for quality in one arm or both."
            " Log them, or set the metric's limit to null to go on without."
        ),
    )
    without = replace(POLICY, limits=POLICY.limits[1:])
    assert (
        at([replace(observation, quality=None) for observation in same()], policy=without).outcome
        is CanaryOutcome.PROMOTE
    )


def test_marks_that_have_not_come_yet_are_waited_for() -> None:
    """Until a judge could have marked some, or the measure of latency could be set, their absence says nothing."""
    unmarked = [replace(observation, quality=None) for observation in same()]
    assert at(unmarked, now=START + timedelta(hours=2)).outcome is CanaryOutcome.WAIT
    small = replace(POLICY, min_requests=10, limits=(("latency", 0.05),))
    half = canary_traffic.traffic(150, share=50)
    half_way = STANDING.model_copy(update={"share": 50})
    canary_decision = at(half, deployed=replace(DEPLOYED, share=50), progress=half_way, policy=small)
    assert canary_decision.outcome is CanaryOutcome.WAIT
    assert "0 users of the canary" in texts(canary_decision)[0]


def test_a_judge_that_fails_for_the_canary_alone_holds() -> None:
    canary_decision = at(
        [replace(observation, quality=None) if observation.arm == "canary" else observation for observation in same()]
    )
    assert canary_decision.outcome is CanaryOutcome.HOLD


def test_a_split_that_is_not_as_configured_holds_even_a_bad_canary() -> None:
    bad = canary_traffic.traffic(30_000, Ways(quality=0.82), share=7)
    canary_decision = at([replace(observation, share=5.0) for observation in bad])
    assert (canary_decision.outcome, canary_decision.new_share) == (CanaryOutcome.HOLD, 5)
    assert "Requests of one arm are lost or misrouted" in texts(canary_decision)[0]


def test_users_in_both_arms_hold() -> None:
    mixed = [replace(observation, user=f"u{index % 10_000}") for index, observation in enumerate(same())]
    canary_decision = at(mixed)
    assert canary_decision.outcome is CanaryOutcome.HOLD
    assert "are in both arms" in texts(canary_decision)[0]


def test_a_step_takes_its_least_time_and_requests() -> None:
    early = at(policy=replace(POLICY, min_time_s=36 * 3600.0))
    assert (early.outcome, texts(early)[0]) == (CanaryOutcome.WAIT, "30.1 hours of at least 36 hours have passed.")
    few = at(canary_traffic.traffic(3000))
    assert few.outcome is CanaryOutcome.WAIT
    assert re.fullmatch(r"Quality: 1\d\d users of .* of at least 200 each\.", texts(few)[0])


def test_what_cannot_be_decided_waits_and_at_last_holds() -> None:
    middling = canary_traffic.traffic(30_000, Ways(quality=0.945), seed=4)
    canary_decision = at(middling)
    assert canary_decision.outcome is CanaryOutcome.WAIT
    assert texts(canary_decision)[0].endswith("not yet shown to be within 2 points.")
    held = at(middling, policy=replace(POLICY, max_time_s=29 * 3600.0))
    assert held.outcome is CanaryOutcome.HOLD
    assert texts(held)[0] == "The step has been undecided for more than 29 hours. Look at the numbers and decide."
    assert texts(held)[1:] == texts(canary_decision)[:-1]


@pytest.mark.parametrize("changes", [None, {"canary": "v0"}, {"stable": "v0"}])
@pytest.mark.parametrize("rolled_back", [None, START])
def test_a_new_canary_begins_at_the_first_step(changes: dict[str, str] | None, rolled_back: datetime | None) -> None:
    before = None if changes is None else STANDING.model_copy(update={**changes, "rolled_back": rolled_back})
    for share in (0.0, 5.0, 50.0, 100.0):
        canary_decision = at(deployed=replace(DEPLOYED, share=share), progress=before)
        assert (canary_decision.outcome, canary_decision.new_share) == (CanaryOutcome.WAIT, 5)
        assert canary_decision.progress == CanaryProgress(stable=STABLE, canary=CANARY, share=5, since=NOW)
        assert ("no step is skipped" in texts(canary_decision)[0]) == (share > 5)


def test_a_canary_that_was_rolled_back_stays_so_until_a_version_changes() -> None:
    back = STANDING.model_copy(update={"share": 0, "rolled_back": START, "rollback_reason": "quality"})
    held = at(deployed=replace(DEPLOYED, share=0), progress=back)
    assert (held.outcome, held.new_share, held.progress) == (CanaryOutcome.HOLD, 0, back)
    assert texts(held) == (
        "It was rolled back on 2026-03-02 10:00 UTC (quality) and stays so until a version changes.",
    )
    again = at(progress=back)
    assert (again.outcome, again.new_share, again.progress) == (CanaryOutcome.ROLL_BACK, 0, back)


def test_a_step_is_not_skipped_by_hand() -> None:
    canary_decision = at(deployed=replace(DEPLOYED, share=50))
    assert (canary_decision.outcome, canary_decision.new_share, canary_decision.progress) == (
        CanaryOutcome.HOLD,
        50,
        STANDING,
    )
    assert "No step is skipped. Set it back to 5." in texts(canary_decision)[0]


def test_a_person_may_go_back_a_step() -> None:
    standing = STANDING.model_copy(update={"share": 25})
    lowered = at(progress=standing)
    assert (lowered.outcome, lowered.progress) == (
        CanaryOutcome.WAIT,
        standing.model_copy(update={"share": 5, "since": NOW}),
    )


def test_a_person_may_pause_and_the_step_then_begins_anew() -> None:
    paused = at(deployed=replace(DEPLOYED, share=0))
    assert (paused.outcome, paused.new_share, paused.progress) == (
        CanaryOutcome.HOLD,
        0,
        STANDING.model_copy(update={"paused": True}),
    )
    still = at(deployed=replace(DEPLOYED, share=0), progress=paused.progress, now=NOW + timedelta(hours=1))
    assert (still.outcome, still.findings, still.progress) == (paused.outcome, paused.findings, paused.progress)
    resumed = at(progress=paused.progress)
    assert (resumed.outcome, resumed.progress) == (CanaryOutcome.WAIT, STANDING.model_copy(update={"since": NOW}))
    assert at(deployed=replace(DEPLOYED, share=25), progress=paused.progress).outcome is CanaryOutcome.HOLD
    lowered = at(deployed=replace(DEPLOYED, share=2), progress=paused.progress)
    assert lowered.progress == STANDING.model_copy(update={"share": 2, "since": NOW})


def test_the_last_step_is_the_end() -> None:
    half, whole = replace(DEPLOYED, share=50), replace(DEPLOYED, share=100)
    last = at(
        canary_traffic.traffic(30_000, share=50), deployed=half, progress=STANDING.model_copy(update={"share": 50})
    )
    assert (last.outcome, last.new_share) == (CanaryOutcome.PROMOTE, 100)
    done = at(deployed=whole, progress=last.progress)
    assert (done.outcome, done.new_share) == (CanaryOutcome.HOLD, 100)
    assert texts(done)[0].startswith("The canary has all traffic. Make it the stable version")


def test_without_a_canary_there_is_nothing_to_do() -> None:
    canary_decision = at(deployed=Deployed(prompt=PROMPT, stable=STABLE))
    assert (canary_decision.outcome, canary_decision.progress, texts(canary_decision)) == (
        CanaryOutcome.WAIT,
        None,
        ("There is no canary.",),
    )


def test_the_same_log_is_decided_alike() -> None:
    first, other = at(), at(list(same()))
    assert (first.outcome, first.metrics, texts(first)) == (other.outcome, other.metrics, texts(other))
