"""The record of a look at the canaries: the words of each outcome, and the data beside them."""

import json
import math
import re
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from xml.etree import ElementTree as ET

import pytest
from support import canary_traffic
from support.canary_traffic import CANARY, PROMPT, STABLE, START, Ways
from support.gold_files import Gold

from promptci.errors import Problem
from promptci.report import canary_page
from promptci.report import canary_report as report
from promptci.report.canary_document import CanaryPromptRow, EvidenceRow, to_document
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
    "split": lambda: record(
        decision([replace(observation, share=5.0) for observation in canary_traffic.traffic(30_000, share=7)])
    ),
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


@cache
def report_of(situation: str) -> CanaryReport:
    return SITUATIONS[situation]()


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_record_of_every_outcome_is_as_kept(situation: str, gold: Gold) -> None:
    gold.check(f"canary/{situation}.md", report.markdown(report_of(situation)))


def test_the_data_are_as_kept(gold: Gold) -> None:
    document = to_document(report_of("promote"))
    # The evidence is as long as all else together; its first and last rows stand for it.
    (prompt,) = document.prompts
    ends = [row for rows in evidence(prompt).values() for row in (rows[0], rows[-1])]
    shortened = document.model_copy(update={"prompts": [prompt.model_copy(update={"evidence": ends})]})
    gold.check("canary/promote.json", shortened.dump())


def evidence(prompt: CanaryPromptRow) -> dict[str, list[EvidenceRow]]:
    return {metric.metric: [row for row in prompt.evidence if row.metric == metric.metric] for metric in prompt.metrics}


def test_the_evidence_of_a_step_is_the_decision_s_own() -> None:
    (prompt,) = to_document(report_of("rolled_back")).prompts
    for metric in prompt.metrics:
        rows = evidence(prompt)[metric.metric]
        assert len(rows) == 60
        assert [row.canary_n for row in rows] == sorted(row.canary_n for row in rows)
        assert {(row.share, row.need) for row in rows} == {(5, metric.need_worse)}
        assert max(row.log_e_worse for row in rows) <= -math.log(metric.p_worse) + 1e-9
    quality = evidence(prompt)["quality"][-1]
    assert quality.log_e_worse > quality.need
    assert quality.drop == pytest.approx(prompt.metrics[0].drop, abs=0.01)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_page_shows_every_outcome_and_makes_no_request(situation: str) -> None:
    page = canary_page.render_page(to_document(report_of(situation)))
    charts = re.findall(r"<svg viewBox=.0 0 360.*?</svg>", page, re.DOTALL)
    assert len(charts) == {"promote": 4, "rolled_back": 4, "split": 4, "wait": 4, "outage": 4}.get(situation, 0)
    assert "default-src &#39;none&#39;" in page
    assert re.search(r"(src|href)=[\"']?(https?:)?//|<img|<script>[^<]", page) is None
    assert "style=" not in page
    assert len(ET.fromstring(f"<a>{''.join(charts)}</a>")) == len(charts)  # noqa: S314 - our own page


def test_a_canary_with_all_traffic_comes_with_its_pull_request() -> None:
    (result,) = to_document(report_of("complete")).prompts
    assert result.proposal is not None
    assert result.proposal.branch == "promptci/order-v2-production"
    assert result.proposal.command.startswith(
        "git switch --create promptci/order-v2-production"
        " && promptci deploy order@v2 --env production --because 'the canary passed every step' && git push"
    )
    assert [prompt.proposal for name in ("promote", "none") for prompt in to_document(SITUATIONS[name]()).prompts] == [
        None
    ] * 2
    assert "Make it the stable version" in canary_page.render_page(to_document(report_of("complete")))


def test_the_most_alarming_outcome_leads() -> None:
    calm, alarming = SITUATIONS["none"]().decisions, SITUATIONS["let_loose_again"]().decisions
    both = record(*calm, *alarming)
    assert (both.outcome, both.exit_code, both.changed) == (CanaryOutcome.ROLL_BACK, 1, True)
    assert (record(*calm).outcome, record(*calm).exit_code, record(*calm).changed) == (CanaryOutcome.WAIT, 0, False)
    assert record().outcome is CanaryOutcome.WAIT


def test_unknown_is_null_and_every_number_is_json() -> None:
    (prompt,) = json.loads(to_document(report_of("no_data")).dump())["prompts"]
    assert prompt["arms"]["canary"] == {
        "requests": 0,
        "users": 0,
        "answered": 0,
        "unscored": 0,
        "newest": None,
        "new_users": 0,
        "models": [],
        "response_models": [],
        "output_tokens": None,
    }
    assert {metric["canary"] for metric in prompt["metrics"]} == {None}
    assert {metric["status"] for metric in prompt["metrics"]} == {"no data"}


def test_problems_of_the_log_are_data_of_the_log_alone() -> None:
    log = RequestLog(files=1, lines=200, invalid_lines=1, problems=(Problem(path="a", line=1, message="x", hint="y"),))
    expected = {"files": 1, "lines": 200, "invalid_lines": 1, "repeated_lines": 0, "late_lines": 0}
    assert to_document(record(log=log)).log.model_dump() == expected
