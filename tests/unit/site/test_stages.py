"""On which stage a version is, and what its card says."""

from datetime import date
from typing import Any

import pytest
from support.site_records import event, night, prompt, records, version

from promptci.site.model import RunningPair, SitePrompt
from promptci.site.view.stages import build_pipeline, find_cards

RUNS = RunningPair(environment="production", stable="v1.0.0")
DEPLOYED = event("deployed", environment="production", after="v1.0.0", share=100.0)


def cards(shown: SitePrompt) -> list[tuple[str, str, str]]:
    return [(stage, card.version, card.slug) for stage, card in find_cards(shown)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, [("development", "", "mute")]),
        ({"versions": (version("v1.0.0"),)}, [("evaluation", "v1.0.0", "mute")]),
        ({"versions": (version("v1.0.0", fingerprint="other"),), "running": (RUNS,)},
         [("evaluation", "unreleased", "mute"), ("production", "v1.0.0", "good")]),
        ({"versions": (version("v1.0.0"),), "running": (RUNS,)}, [("production", "v1.0.0", "good")]),
        ({"versions": (version("v1.0.0", verdict="none"),), "running": (RUNS,)}, [("production", "v1.0.0", "warn")]),
        ({"running": (RUNS,), "path": ""}, [("production", "v1.0.0", "warn")]),
        ({"path": ""}, []),
    ],
    ids=["never released", "released", "merged since", "deployed", "no evidence", "not released by us", "gone"],
)  # fmt: skip
def test_a_version_is_on_its_stage(fields: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    assert cards(prompt(**fields)) == expected


def test_a_canary_is_beside_what_runs_and_its_rollback_is_stated() -> None:
    versions = (version("v1.1.0"), version("v1.0.0"))
    running = RunningPair(environment="production", stable="v1.0.0", canary="v1.1.0", share=5)
    shown = prompt(versions=versions, running=(running,), events=(DEPLOYED,))
    assert cards(shown) == [("canary", "v1.1.0", "mute"), ("production", "v1.0.0", "good")]
    ended = RunningPair(environment="production", stable="v1.0.0", canary="v1.1.0", rolled_back="2026-03-02T10:00:00Z")
    assert cards(prompt(versions=versions, running=(ended,))) == [("production", "v1.0.0", "warn")]


def test_open_drift_and_an_open_check_are_never_green() -> None:
    drifting = prompt(
        versions=(version("v1.0.0"),),
        running=(RUNS,),
        night_lines=(night(date(2026, 3, 8), verdict="drift", since="2026-03-07"),),
    )
    assert cards(drifting) == [("production", "v1.0.0", "bad")]
    blocked = event("blocked", pull_request=12, verdict="fail")
    proposed = prompt(versions=(version("v1.0.0"),), running=(RUNS,), events=(blocked,))
    assert cards(proposed) == [("development", "pull request 12", "bad"), ("production", "v1.0.0", "good")]


def test_gates_count_what_passed_and_what_was_stopped() -> None:
    happened = (
        event(
            "rolled-back", "2026-03-04T10:00:00Z", environment="production", before="v1.1.0", share=0.0, after="v1.1.0"
        ),
        event("promoted", "2026-03-03T10:00:00Z", environment="production", after="v1.1.0", share=25.0),
        event("released", "2026-03-02T10:00:00Z", after="v1.1.0", verdict="pass; 60 cases"),
        event("released", "2026-03-02T09:00:00Z", after="v1.0.0", verdict="fail; 60 cases"),
    )
    check, release, canary = build_pipeline(records(prompt(events=happened))).gates
    assert (check.passages, bool(check.empty)) == ((), True)
    assert (release.passed, release.stopped, len(release.passages)) == (1, 0, 2)
    assert (canary.passed, canary.stopped) == (1, 1)
