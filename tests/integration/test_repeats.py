"""Adaptive repeats: a case is asked again only where the first answers of the versions disagree."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from fakes.openai_server import Call, Reply, error
from support.repositories import (
    BAD,
    GOLDENS,
    GOOD,
    PROMPT,
    checked,
    config,
    goldens,
    make_environment,
    model,
    only,
    prompt,
    serving,
    shop,
    view,
)

from promptci.app.requests import CheckRequest
from promptci.evaluation import check
from promptci.providers.recorded import open_recording

TWICE = {"repeats": {"initial": 1, "on_disagreement": 3}}
FILES = {PROMPT: prompt(GOOD), GOLDENS: goldens(60)}


class Moody:
    """Copies the number, but the chatty version gets odd numbers wrong the first time only."""

    def __init__(self) -> None:
        self.asked: Counter[tuple[str, str]] = Counter()

    def __call__(self, call: Call) -> str:
        result = re.search(r"GH-(\d+)", call.last_user_message)
        assert result is not None
        system = call.body["messages"][0]["content"]
        self.asked[(system, result[0])] += 1
        wrong = system == BAD and int(result[1]) % 2 and self.asked[(system, result[0])] == 1
        return "no idea" if wrong else result[0]


def test_only_cases_that_disagree_are_asked_again(tmp_path: Path) -> None:
    moody = Moody()
    with serving(moody) as server:
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server, run=TWICE)})
        builder.write({PROMPT: prompt(BAD)}).commit()
        outcome = checked(builder)
    assert outcome.view is not None
    (result,) = outcome.view.prompts
    odd = {f"c{i:03}" for i in range(1, 60, 2)}
    assert len(server.calls) == 120 + 30 * 4
    assert {number for (_, number), times in moody.asked.items() if times == 3} == {
        f"GH-{i}" for i in range(1001, 1060, 2)
    }
    assert set(result.regressions) == odd
    assert {case.head_pass_rate for case in result.case_details if case.id in odd} == {2 / 3}
    assert {case.head_pass_rate for case in result.case_details if case.id not in odd} == {1.0}
    (note,) = outcome.view.asking_notes
    assert "30 of 60, 120 answers instead of the 240" in note


def test_versions_that_agree_are_asked_once(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server, run=TWICE)})
        builder.write({PROMPT: prompt("Copy the order number, nothing else.")}).commit()
        outcome = checked(builder)
    assert (outcome.exit_code, len(server.calls)) == (0, 120)


@pytest.mark.long
def test_a_second_run_answers_the_repeats_from_the_cache(tmp_path: Path) -> None:
    with serving(Moody()) as server:
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server, run=TWICE)})
        builder.write({PROMPT: prompt(BAD)}).commit()
        first = checked(builder)
        asked = len(server.calls)
        second = checked(builder, out=tmp_path / "again")
        assert len(server.calls) == asked
    assert first.view is not None
    assert second.view is not None
    assert [p.quality for p in first.view.prompts] == [p.quality for p in second.view.prompts]


@pytest.mark.long
def test_a_case_with_a_missing_answer_is_not_asked_again(tmp_path: Path) -> None:
    """That the versions differ may be due to what is missing."""
    moody = Moody()

    def failing(call: Call) -> Reply | str:
        of_base = call.body["messages"][0]["content"] == GOOD
        return error(400, "no") if of_base and "GH-1001" in call.last_user_message else moody(call)

    with serving(failing) as server:
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server, run=TWICE)})
        builder.write({PROMPT: prompt(BAD)}).commit()
        checked(builder)
    assert moody.asked[(BAD, "GH-1001")] == 1
    assert moody.asked[(BAD, "GH-1003")] == 3


@pytest.mark.long
def test_new_and_changed_cases_are_not_asked_again(tmp_path: Path) -> None:
    moody = Moody()
    with serving(moody) as server:
        builder = shop(tmp_path, {**FILES, GOLDENS: goldens(30), "promptci.yml": config(server, run=TWICE)})
        builder.write({PROMPT: prompt(BAD), GOLDENS: goldens(60)}).commit()
        checked(builder)
    assert moody.asked[(BAD, "GH-1029")] == 3
    assert moody.asked[(BAD, "GH-1031")] == 1


def test_the_price_of_repeats_is_said_beforehand(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server, run=TWICE)})
        builder.write({PROMPT: prompt(BAD)}).commit()
        environment, output = make_environment()
        check.check(CheckRequest(root=builder.path, out=tmp_path / "out", dry_run=True), environment)
    assert "where the versions disagree, up to 3 times: at most 240 more calls, price unknown" in output


def test_rounds_are_priced_as_what_they_are(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server, run={"repeats": "auto"})})
        builder.write({PROMPT: prompt(BAD)}).commit()
        environment, output = make_environment()
        check.check(CheckRequest(root=builder.path, out=tmp_path / "out", dry_run=True), environment)
    assert any(line.startswith("while the verdict is open, up to ") for line in output)
    assert not any("where the versions disagree" in line for line in output)


def critical(*ids: int) -> str:
    rows = [json.loads(line) for line in goldens(60).splitlines()]
    return "".join(json.dumps({**row, "critical": int(row["id"][1:]) in ids}) + "\n" for row in rows)


def test_a_critical_flip_that_was_chance_does_not_block(tmp_path: Path) -> None:
    """One answer in three is wrong: asked again, it does not come back."""
    moody = Moody()
    with serving(moody) as server:
        files = {**FILES, GOLDENS: critical(1, 2), "promptci.yml": config(server)}
        builder = shop(tmp_path, files)
        builder.write({PROMPT: prompt(BAD)}).commit()
        outcome = checked(builder)
    assert outcome.view is not None
    (result,) = outcome.view.prompts
    assert "critical" not in {reason.rule for reason in result.findings}
    assert len(server.calls) == 120 + 10  # c001 alone flipped, and was asked five times more of each version
    assert "asked again to rule out chance: c001" in outcome.view.asking_notes[0]


def test_a_critical_flip_that_comes_back_blocks(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(
            tmp_path, {**FILES, GOLDENS: critical(1), "promptci.yml": config(server, gate={"max_drop": 0.9})}
        )
        builder.write({PROMPT: prompt(BAD)}).commit()
        outcome = checked(builder)
    assert outcome.exit_code == 1
    assert outcome.view is not None
    assert [case.head_pass_rate for case in outcome.view.prompts[0].case_details if case.critical] == [0.0]


def test_a_break_that_cannot_be_confirmed_is_inconclusive(tmp_path: Path) -> None:
    asked: Counter[str] = Counter()

    def failing(call: Call) -> Reply | str:
        key = json.dumps(call.body["messages"])
        asked[key] += 1
        return error(500, "no") if asked[key] > 1 else model(call)

    with serving(failing) as server:
        builder = shop(
            tmp_path, {**FILES, GOLDENS: critical(1), "promptci.yml": config(server, gate={"max_drop": 0.9})}
        )
        builder.write({PROMPT: prompt(BAD)}).commit()
        outcome = checked(builder)
    assert outcome.view is not None
    (result,) = outcome.view.prompts
    assert ("critical-unconfirmed", "inconclusive") in {(reason.rule, reason.verdict) for reason in result.findings}
    assert result.errors == 0
    assert any("are missing, so the first ones stand" in note for note in outcome.view.asking_notes)


def test_early_stop_saves_calls_and_keeps_the_verdict(tmp_path: Path) -> None:
    """Half of the cases break: the failure stands long before the last case."""
    with serving() as server:
        run = {"early_stop": True, "concurrency": 4}
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server, run=run)})
        builder.write({PROMPT: prompt(BAD)}).commit()
        outcome = checked(builder)
    assert outcome.view is not None
    (result,) = outcome.view.prompts
    assert outcome.exit_code == 1
    assert len(server.calls) <= 100
    saved = 120 - len(server.calls)
    assert f"which saved {saved} calls" in outcome.view.asking_notes[0]
    (shown,) = [reason.text for reason in result.findings if reason.rule == "regression"]
    assert f"{saved} answers were not requested and counted for the new version" in shown
    assert result.errors == 0
    assert outcome.paths is not None
    page = outcome.paths.html.read_text()
    assert "Not asked" in page
    assert "Not evaluated" not in page


@pytest.mark.long
def test_early_stop_asks_everything_where_nothing_is_clear(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server, run={"early_stop": True, "concurrency": 4})})
        builder.write({PROMPT: prompt("Copy the order number, nothing else.")}).commit()
        outcome = checked(builder)
    assert outcome.view is not None
    assert (outcome.exit_code, len(server.calls), outcome.view.asking_notes) == (0, 120, [])


@pytest.mark.long
def test_early_stop_spares_the_repeats_of_what_is_decided(tmp_path: Path) -> None:
    with serving() as server:
        run = {"early_stop": True, "concurrency": 200, **TWICE}
        builder = shop(tmp_path, {**FILES, "promptci.yml": config(server, run=run)})
        builder.write({PROMPT: prompt("Say nothing but chatty words.")}).commit()
        outcome = checked(builder)
    assert outcome.exit_code == 1
    assert len(server.calls) >= 120


AUTO = {"repeats": "auto", "auto_calls": 320}


def test_automatic_repeats_go_on_while_the_verdict_is_undecided(tmp_path: Path) -> None:
    """Twenty equal cases: one answer each leaves a drop of the margin possible, so rounds of 2, 4 and 8 follow."""
    with serving() as server:
        builder = shop(tmp_path, {**FILES, GOLDENS: goldens(20), "promptci.yml": config(server, run=AUTO)})
        builder.write({PROMPT: prompt("Copy the order number, nothing else.")}).commit()
        outcome = checked(builder)
    assert outcome.view is not None
    assert outcome.view.verdict == "pass"
    per_case = len(server.calls) / 40
    assert per_case in (2, 4, 8)
    assert any(f"answered each case {per_case:.0f} times" in note for note in outcome.view.asking_notes)
    quality = only(outcome).quality
    assert quality is not None
    rounds = {2: 2, 4: 3, 8: 4}[int(per_case)]
    assert (quality.answers_per_case, quality.rounds, quality.max_rounds) == (per_case, rounds, 4)
    assert outcome.paths is not None
    page = outcome.paths.html.read_text()
    assert f"{per_case:.0f} answers of each version to each case, in {rounds} of at most 4 rounds" in page


def test_automatic_repeats_stop_where_the_first_answers_show_a_regression(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, {**FILES, GOLDENS: goldens(40), "promptci.yml": config(server, run=AUTO)})
        builder.write({PROMPT: prompt(BAD)}).commit()
        outcome = checked(builder)
    assert (outcome.exit_code, len(server.calls)) == (1, 80)
    quality = only(outcome).quality
    assert quality is not None
    assert (quality.answers_per_case, quality.rounds) == (1, 1)


def test_a_fixed_number_of_answers_has_no_rounds(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, {**FILES, GOLDENS: goldens(10), "promptci.yml": config(server, run={"repeats": 3})})
        builder.write({PROMPT: prompt(BAD)}).commit()
        quality = only(checked(builder)).quality
    assert quality is not None
    assert (quality.answers_per_case, quality.rounds, quality.max_rounds) == (3, None, None)


def test_a_budget_that_one_round_uses_up_ends_automatic_repeats(tmp_path: Path) -> None:
    """An answer costs at most 0.001, so 0.04 pays for the 40 of one round, and nothing is left for another."""
    with serving() as server:
        run = {**AUTO, "budget_usd": 0.04}
        prices = {"prices": {"fake-1": {"input_usd": 0, "output_usd": 62.5}}}
        builder = shop(
            tmp_path, {**FILES, GOLDENS: goldens(20), "promptci.yml": config(server, run=run, provider=prices)}
        )
        builder.write({PROMPT: prompt("Copy the order number, nothing else.")}).commit()
        outcome = checked(builder)
    assert outcome.view is not None
    assert len(server.calls) == 40
    assert any("budget did not allow another round" in note for note in outcome.view.notes)


@pytest.mark.long
def test_automatic_rounds_of_a_prompt_end_where_its_recording_does(tmp_path: Path) -> None:
    tape = tmp_path / "answers.jsonl"
    files = {PROMPT: prompt(GOOD), GOLDENS: goldens(10)}
    with serving() as server:
        builder = shop(tmp_path, {**files, "promptci.yml": config(server, run={"repeats": 2})})
        builder.write({PROMPT: prompt("Copy the order number, please.")}).commit()
        checked(builder, record=tape, out=tmp_path / "recording")
        builder.git("switch", "main")
        builder.write({"promptci.yml": config(server, run={"repeats": "auto"})}).commit()
        builder.git("switch", "-c", "again")
        builder.write({PROMPT: prompt("Copy the order number, please.")}).commit()
    outcome = checked(builder, answers=open_recording(tape, shown_as="answers"))
    assert [note for note in view(outcome).notes if "recording" in note] == [
        "order: the recording holds no further answers, so no further round was asked (`run.repeats: auto`)."
    ]
    assert only(outcome).answers_requested == 40
    assert only(outcome).verdict == "inconclusive"


def test_the_estimate_before_a_run_names_the_rounds_that_may_follow(tmp_path: Path) -> None:
    with serving() as server:
        prices = {"prices": {"fake-1": {"input_usd": 1, "output_usd": 1}}}
        settings = config(server, run={"repeats": "auto"}, provider=prices)
        builder = shop(tmp_path, {PROMPT: prompt(GOOD), GOLDENS: goldens(5), "promptci.yml": settings})
        builder.write({PROMPT: prompt("Copy the order number, nothing else.")}).commit()
        env, lines = make_environment()
        check.check(CheckRequest(root=builder.path, out=tmp_path / "out"), env)
    (estimate,) = [line for line in lines if line.startswith("estimate: ")]
    pattern = (
        r"estimate: 10 calls, at most \$[\d.]+ \(cache hits not deducted\);"
        r" with what may follow 640 calls, at most \$[\d.]+: 630 while the verdict is open$"
    )
    assert re.match(pattern, estimate), estimate
