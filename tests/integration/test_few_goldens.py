"""With a handful of golden cases the report counts what decides: these cases, as often as they are asked."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fakes.openai_server import Call
from support.cli_runs import CommandResult, run_command
from support.daily import first_daily
from support.repositories import GOLDENS, GOOD, NOW, PROMPT, config, goldens, prompt, serving, shop

from promptci.app.requests import CheckRequest
from promptci.compare.case_effect import MIN_SCORED_CASES
from promptci.compare.case_power import Asking, smallest_drop
from promptci.compare.sample import Design
from promptci.gates.selftest.power_analysis import analyze_goldens
from promptci.usecases.trust import power
from promptci.usecases.trust.power import PowerQuestion

FEW_CALLS, ENOUGH = 100, 52
"""So many calls are too few for a handful of cases, however they are spread; so many cases need one round."""


def answer(call: Call) -> str:
    """Copy the number, or the letter that is asked for in capitals."""
    number = re.search(r"GH-\d+", call.last_user_message)
    return number[0] if number else call.last_user_message.upper()


def check(folder: Path, cases: str, **limits: int) -> CommandResult:
    """Check a harmless edit with `repeats: auto`."""
    with serving(answer) as server:
        settings = config(server, run={"repeats": "auto", "cache": None, "memory": None, **limits})
        builder = shop(folder, {PROMPT: prompt(GOOD), GOLDENS: cases, "promptci.yml": settings})
        builder.write({PROMPT: prompt("Copy the order number, please.")}).commit()
        return run_command(builder.path, ["check", "--base", "main"], folder / "out")


def load_quality(folder: Path) -> dict[str, Any]:
    report = json.loads((folder / "out" / "report.json").read_text())
    quality: dict[str, Any] = report["prompts"][0]["quality"]
    return quality


@pytest.mark.parametrize("cases", first_daily([1, 2, 3]))
def test_so_many_cases_as_are_said_to_settle_it_settle_it(tmp_path: Path, cases: int) -> None:
    few = check(tmp_path / "few", goldens(cases), auto_calls=FEW_CALLS)
    assert few.verdict == "inconclusive"
    assert load_quality(tmp_path / "few")["cases_needed"] == ENOUGH
    comment = (tmp_path / "few" / "out" / "comment.md").read_text()
    assert f"About {ENOUGH - cases} more cases would decide it." in comment
    assert f"about {ENOUGH - cases} more cases for order would decide it" in comment
    assert "too few to detect any drop" not in comment
    assert check(tmp_path / "enough", goldens(ENOUGH), auto_calls=FEW_CALLS).verdict == "pass"


@pytest.mark.parametrize("cases", first_daily([1, 3]))
def test_a_few_cases_that_always_pass_are_enough_within_the_default_calls(tmp_path: Path, cases: int) -> None:
    result = check(tmp_path, goldens(cases))
    assert result.verdict == "pass"
    assert "Each version answered each case 64 times" in result.text


def test_power_gives_the_number_of_the_report(tmp_path: Path) -> None:
    settings = config(run={"repeats": "auto", "auto_calls": FEW_CALLS, "memory": None})
    builder = shop(tmp_path, {PROMPT: prompt(GOOD), GOLDENS: goldens(3), "promptci.yml": settings})
    document = power.power(CheckRequest(root=builder.path, out=tmp_path / "out"), PowerQuestion(), NOW)
    output = list(power.power_lines(document))
    assert document.prompts[0].analyses[0].cases_for_pass == ENOUGH
    assert output[1].startswith("  if none of the cases change their verdict by themselves: smallest drop that blocks")
    settled = f"to show “not worse by 5 points” where nothing changed: {ENOUGH} cases ({ENOUGH - 3} more)"
    assert any(settled in line for line in output[1:4])


def test_the_test_that_decides_is_described(tmp_path: Path) -> None:
    assert check(tmp_path, goldens(4)).verdict == "pass"
    quality = load_quality(tmp_path)
    test = quality["on_goldens"]
    assert test["p"] <= quality["adjusted_p"]
    assert test["max_drop"] < 0.05
    assert test["detectable_drop"] < 0.2 < quality["detectable_drop"]
    comment = (tmp_path / "out" / "comment.md").read_text()
    assert "- Method: exact permutation of each case's answers, one-sided, corrected for 7 rounds" in comment
    assert "- For inputs like these (does not decide): " in comment
    page = (tmp_path / "out" / "report.html").read_text()
    assert "on these goldens a drop of up to 3.6 points is not excluded" in page


def test_equal_cases_are_counted_in_one_unit(tmp_path: Path) -> None:
    rows = [{"input": "a", "expected": "A"}, {"input": "a", "expected": "A"}, {"input": "b", "expected": "B"}]
    result = check(tmp_path, "".join(json.dumps(row) + "\n" for row in rows))
    assert "3 of 3 cases passed before, 3 of 3 after" in result.text
    comment = (tmp_path / "out" / "comment.md").read_text()
    assert "0 got worse and 0 better of 3 pairs" in comment
    assert "goldens/order.jsonl:1 and goldens/order.jsonl:2 have the same variables" in comment
    assert "goldens/order.jsonl:1 and goldens/order.jsonl:2 have the same variables" in result.text


def test_equal_cases_that_contradict_each_other_are_named(tmp_path: Path) -> None:
    rows = [{"input": "a", "expected": "A"}, {"input": "a", "expected": "B"}, {"input": "b", "expected": "B"}]
    result = check(tmp_path, "".join(json.dumps(row) + "\n" for row in rows))
    assert "2 of 3 cases passed before, 2 of 3 after" in result.text
    assert "expect different answers (`A` and `B`)" in result.text


def test_a_prompt_without_goldens_has_no_power_to_speak_of(tmp_path: Path) -> None:
    builder = shop(tmp_path, {PROMPT: prompt(GOOD), "promptci.yml": config(run={"memory": None})})
    document = power.power(CheckRequest(root=builder.path, out=tmp_path / "out"), PowerQuestion(), NOW)
    assert list(power.power_lines(document)) == [
        "order: no golden cases, so a check shows nothing. `promptci doctor` names their file."
    ]


def test_scores_of_too_few_cases_are_never_said_to_be_enough() -> None:
    asking = Asking(max_calls=640)
    analysis = analyze_goldens([], 0.01, drop=0.05, asking=asking, graded=True, alpha=0.05)
    design = Design(graded=True, alpha=0.05, margin=0.05)
    assert smallest_drop(analysis.cases_for_drop, 0.01, asking, design) is not None
    assert analysis.cases_for_pass >= MIN_SCORED_CASES
