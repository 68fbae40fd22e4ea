"""An endpoint that swaps the model under one version: a whole run says so, and neither fails nor passes by it."""

import json
from pathlib import Path
from typing import Any

import pytest
from fakes.openai_server import Call, Reply, completion, reply
from support.daily import first_daily
from support.repositories import (
    BAD,
    GOLDENS,
    GOOD,
    PROMPT,
    checked,
    config,
    goldens,
    model,
    only,
    prompt,
    serving,
    shop,
)

from promptci.app.requests import RunResult
from promptci.report.model.report import PromptView

BETTER = "Copy the order number, nothing else."


def rules(outcome: RunResult) -> set[str]:
    return {reason.rule for reason in only(outcome).findings}


def swapping(call: Call) -> Reply:
    """Answer the new version with another model, set up in another way."""
    new = call.body["messages"][0]["content"] != GOOD
    return reply({**completion(model(call), model="fake-1-2026-02-02" if new else "fake-1-2026-01-01")})


@pytest.mark.parametrize("instruction", first_daily([BAD, BETTER]))
def test_a_swapped_model_makes_the_versions_not_comparable(tmp_path: Path, instruction: str) -> None:
    with serving(swapping) as server:
        builder = shop(tmp_path, {PROMPT: prompt(GOOD), GOLDENS: goldens(60)}, server)
        builder.write({PROMPT: prompt(instruction)}).commit()
        outcome = checked(builder)
    prompt_view = only(outcome)
    assert (prompt_view.verdict, outcome.exit_code, prompt_view.quality) == ("inconclusive", 0, None)
    assert rules(outcome) == {"not-comparable"}
    assert prompt_view.comparability is not None
    assert prompt_view.comparability.parts["models returned"] == "fake-1-2026-01-01 → fake-1-2026-02-02"
    assert "not comparable" in (tmp_path / "out" / "comment.md").read_text()


@pytest.mark.long
def test_another_model_than_the_one_asked_for_is_a_remark(tmp_path: Path) -> None:
    def other(call: Call) -> Reply:
        return reply(completion(model(call), model="cheaper-1"))

    with serving(other) as server:
        builder = shop(tmp_path, {PROMPT: prompt(GOOD), GOLDENS: goldens(60)}, server)
        builder.write({PROMPT: prompt(BETTER)}).commit()
        outcome = checked(builder)
    assert only(outcome).verdict == "pass"
    assert {"model-returned", "not-worse"} <= rules(outcome)


@pytest.mark.long
def test_another_set_up_for_one_version_is_a_remark(tmp_path: Path) -> None:
    def moved(call: Call) -> Reply:
        new = call.body["messages"][0]["content"] != GOOD
        return reply({**completion(model(call), model="fake-1"), "system_fingerprint": f"fp_{int(new)}"})

    with serving(moved) as server:
        builder = shop(tmp_path, {PROMPT: prompt(GOOD), GOLDENS: goldens(60)}, server)
        builder.write({PROMPT: prompt(BETTER)}).commit()
        outcome = checked(builder)
    assert only(outcome).verdict == "pass"
    assert {"endpoint-differs", "not-worse"} <= rules(outcome)


def test_the_fingerprint_names_who_judged_and_stays_the_same_from_run_to_run(tmp_path: Path) -> None:
    def judged(call: Call) -> Reply | str:
        return '{"score": 5}' if "You grade" in call.body["messages"][0]["content"] else model(call)

    def run(rubric: str, name: str) -> PromptView:
        rows = "".join(
            json.dumps({**json.loads(line), "assert": [{"type": "judge"}]}) + "\n" for line in goldens(8).splitlines()
        )
        with serving(judged) as server:
            judge: dict[str, Any] = {"model": "judge-1", "rubric": "rubric.md", "probes": 0}
            files = {"promptci.yml": config(server, judge=judge), "rubric.md": rubric}
            builder = shop(tmp_path / name, {**files, PROMPT: prompt(GOOD), GOLDENS: rows})
            builder.write({PROMPT: prompt(BETTER)}).commit()
            return only(checked(builder))

    first, again, other = run("Be kind.", "a"), run("Be kind.", "b"), run("Be strict.", "c")
    assert first.comparability is not None
    assert other.comparability is not None
    assert first.comparability == again.comparability
    assert first.comparability.parts["judge"].startswith("judge-1, rubric ")
    assert first.comparability.fingerprint != other.comparability.fingerprint


@pytest.mark.parametrize(
    ("instruction", "verdict", "exit_code"), first_daily([(BAD, "fail", 1), (BETTER, "inconclusive", 0)])
)
def test_one_answer_of_another_model_is_left_out_and_the_rest_decides(
    tmp_path: Path, instruction: str, verdict: str, exit_code: int
) -> None:
    """As after a gateway's fallback. Nothing passes that the missing answer could have failed."""

    def fallen_back(call: Call) -> Reply:
        new = call.body["messages"][0]["content"] != GOOD
        odd = new and "GH-1004" in call.last_user_message
        return reply(completion(model(call), model="fallback-9" if odd else "fake-1"))

    with serving(fallen_back) as server:
        builder = shop(tmp_path, {PROMPT: prompt(GOOD), GOLDENS: goldens(60)}, server)
        builder.write({PROMPT: prompt(instruction)}).commit()
        outcome = checked(builder)
    prompt_view = only(outcome)
    assert (prompt_view.verdict, outcome.exit_code, prompt_view.pairs, prompt_view.errors) == (
        verdict,
        exit_code,
        59,
        1,
    )
    text = next(finding.text for finding in prompt_view.findings if finding.rule == "odd-model")
    assert text == (
        "Has 1 answer of 120 by another model: c004 (answered by fallback-9, all others by fake-1)."
        " It was left out as missing, and the verdict rests on the others."
    )
    assert "was left out as missing" in (tmp_path / "out" / "comment.md").read_text()
