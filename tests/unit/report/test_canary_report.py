"""The record of a look at the canaries: the words of each outcome, and the data beside them."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from support import canary_traffic
from support.canary_traffic import CANARY, PROMPT, STABLE, START, Ways
from support.gold_files import Gold

from promptci.errors import Problem
from promptci.report import canary_report as report
from promptci.report.canary_document import to_document
from promptci.report.canary_report import CanaryReport
from promptci.requestlog.batch import RequestLog
from promptci.requestlog.columns import columns_of
from promptci.requestlog.model import Observation
from promptci.rollout.canary import CanaryDecision, CanaryOutcome, decide_canary
from promptci.rollout.deployment import Deployed
from promptci.rollout.policy import CanaryPolicy
from promptci.rollout.state import CanaryProgress

NOW = START + timedelta(hours=30, minutes=5)
DEPLOYED = Deployed(prompt=PROMPT, stable=STABLE, canary=CANARY, share=5)
STANDING = CanaryProgress(stable=STABLE, canary=CANARY, share=5, since=START)
BACK = STANDING.model_copy(update={"share": 0, "rolled_back": START, "why": "Quality: 82.1% against 96.2%."})


def decision(
    requests: list[Observation], deployed: Deployed = DEPLOYED, progress: CanaryProgress | None = STANDING
) -> CanaryDecision:
    return decide_canary(deployed, progress, columns_of(requests), CanaryPolicy(), NOW)


def record(
    *decisions: CanaryDecision, at: datetime = NOW, log: RequestLog | None = None, applied: bool = True
) -> CanaryReport:
    counted = RequestLog(files=2, lines=30_000) if log is None else log
    return CanaryReport(environment="production", at=at, decisions=decisions, log=counted, applied=applied)


def hostile() -> CanaryDecision:
    name = "a|b`<img src=x>@ann"
    return decision([], Deployed(prompt=name, stable="v1\n# x", canary="[v2](http://x)", share=5), None)


SITUATIONS = {
    "promote": lambda: record(decision(canary_traffic.traffic(30_000))),
    "rolled_back": lambda: record(decision(canary_traffic.traffic(30_000, Ways(quality=0.82, cost_usd=0.004)))),
    "wait": lambda: record(decision(canary_traffic.traffic(3000)), applied=False),
    "no_data": lambda: record(decision([])),
    "split": lambda: record(decision([replace(one, share=5.0) for one in canary_traffic.traffic(30_000, share=7)])),
    "outage": lambda: record(decision(canary_traffic.traffic(3000, Ways(errors=0.5), Ways(errors=0.5)))),
    "begins": lambda: record(decision([], replace(DEPLOYED, share=50), None), applied=False),
    "stays_back": lambda: record(decision([], replace(DEPLOYED, share=0), BACK)),
    "let_loose_again": lambda: record(decision([], progress=BACK)),
    "by_hand": lambda: record(
        decision([], replace(DEPLOYED, share=50)),
        decision([], replace(DEPLOYED, share=0)),
        decision([], replace(DEPLOYED, share=2)),
    ),
    "complete": lambda: record(decision([], replace(DEPLOYED, share=100), STANDING.model_copy(update={"share": 100}))),
    "none": lambda: record(decision([], Deployed(prompt=PROMPT, stable=STABLE), None), log=RequestLog()),
    "hostile": lambda: record(hostile(), log=RequestLog(files=1, lines=999, invalid_lines=1, repeated_lines=1)),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_record_of_every_outcome_is_as_kept(situation: str, gold: Gold) -> None:
    gold.check(f"canary/{situation}.md", report.markdown(SITUATIONS[situation]()))


def test_the_data_are_as_kept(gold: Gold) -> None:
    gold.check("canary/promote.json", to_document(SITUATIONS["promote"]()).dump())


def test_the_most_alarming_outcome_leads() -> None:
    calm, alarming = SITUATIONS["none"]().decisions, SITUATIONS["let_loose_again"]().decisions
    both = record(*calm, *alarming)
    assert (both.outcome, both.exit_code, both.changed) == (CanaryOutcome.ROLL_BACK, 1, True)
    assert (record(*calm).outcome, record(*calm).exit_code, record(*calm).changed) == (CanaryOutcome.WAIT, 0, False)
    assert record().outcome is CanaryOutcome.WAIT


def test_unknown_is_null_and_every_number_is_json() -> None:
    (prompt,) = json.loads(to_document(SITUATIONS["no_data"]()).dump())["prompts"]
    assert prompt["arms"]["canary"] == {
        "requests": 0,
        "users": 0,
        "answered": 0,
        "unscored": 0,
        "newest": None,
        "models": [],
        "output_tokens": None,
    }
    assert {metric["canary"] for metric in prompt["metrics"]} == {None}
    assert {metric["status"] for metric in prompt["metrics"]} == {"no data"}


def test_problems_of_the_log_are_data_of_the_log_alone() -> None:
    log = RequestLog(files=1, lines=200, invalid_lines=1, problems=(Problem(path="a", line=1, message="x", hint="y"),))
    expected = {"files": 1, "lines": 200, "invalid_lines": 1, "repeated_lines": 0}
    assert to_document(record(log=log)).log.model_dump() == expected
