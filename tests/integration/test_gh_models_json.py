"""`promptci run --format gh-models-json` prints what scripts around `gh models eval --json` read."""

import json
from pathlib import Path
from typing import Any

import pytest
from fakes.repo import RepoBuilder
from support.cli_runs import call_promptci
from support.repositories import GOOD, config, model, prompt, serving

PROMPT = """\
name: Orders
description: Finds the number
model: m
messages: [{role: system, content: "%s"}, {role: user, content: "{{input}}"}]
testData:
  - {input: Where is GH-1?, expected: GH-1, tone: kind}
  - {input: Where is GH-2?, expected: GH-3}
evaluators:
  - {name: number, string: {equals: "{{expected}}"}}
"""


def test_results_have_the_shape_of_gh_models(tmp_path: Path) -> None:
    builder = RepoBuilder(tmp_path / "shop")
    with serving(model) as server:
        builder.write({"promptci.yml": config(server), "a.prompt.yml": PROMPT % GOOD}).commit()
        done = call_promptci(["run", "--format", "gh-models-json"], builder.path, {"OPENAI_API_KEY": "k"})
    result = json.loads(done.stdout)
    assert (result["name"], result["description"], result["model"]) == ("Orders", "Finds the number", "m")
    assert [item["testCase"] for item in result["testResults"]] == [
        {"input": "Where is GH-1?", "expected": "GH-1", "tone": "kind"},
        {"input": "Where is GH-2?", "expected": "GH-3"},
    ]
    first = result["testResults"][0]
    assert first["modelResponse"] == "GH-1"
    assert first["evaluationResults"][0].keys() == {"evaluatorName", "score", "passed", "details"}
    assert (first["evaluationResults"][0]["evaluatorName"], first["evaluationResults"][0]["passed"]) == ("number", True)
    assert result["summary"] == {"totalTests": 2, "passedTests": 1, "failedTests": 1, "passRate": 50.0}


def shown_inputs(repository: Path) -> list[str]:
    report = json.loads((repository / "promptci-report" / "report.json").read_text())
    return [case["input"] for case in report["prompts"][0]["case_details"]]


@pytest.mark.long
def test_texts_of_a_large_run_are_cut_in_the_report_unless_they_are_wanted(tmp_path: Path) -> None:
    long = "parcels! " * 100_000  # ten of them are more than a report keeps
    rows: list[dict[str, Any]] = [
        {"id": f"c{number}", "vars": {"input": f"{number} {long}"}, "expected": "yes"} for number in range(10)
    ]
    builder = RepoBuilder(tmp_path / "shop")
    with serving(lambda _: "yes") as server:
        builder.write(
            {
                "promptci.yml": config(server),
                "prompts/a.prompt.yml": prompt(GOOD),
                "goldens/a.jsonl": "".join(f"{json.dumps(row)}\n" for row in rows),
            }
        ).commit()
        call_promptci(["run", "--quiet"], builder.path, {})
        cut = shown_inputs(builder.path)
        assert all("… (cut: 900,002 characters, sha256 " in text and len(text) < 100 for text in cut)
        assert "report.full_texts" in (builder.path / "promptci-report" / "report.html").read_text()

        done = call_promptci(["run", "--format", "gh-models-json"], builder.path, {})
        assert [item["testCase"]["input"] for item in json.loads(done.stdout)["testResults"]] == shown_inputs(
            builder.path
        )
        assert shown_inputs(builder.path) == [row["vars"]["input"] for row in rows]

        builder.write({"promptci.yml": config(server, report={"full_texts": True})})
        call_promptci(["run", "--quiet"], builder.path, {})
    assert shown_inputs(builder.path) == [row["vars"]["input"] for row in rows]
