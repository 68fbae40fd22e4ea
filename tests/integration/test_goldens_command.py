"""`promptci goldens lint` and `stats`, through the command line."""

import json
from pathlib import Path

from fakes.repo import RepoBuilder
from support.cli_runs import call_promptci
from support.repositories import GOLDENS, GOOD, PROMPT, config, prompt

ROWS = [
    {"id": "a", "vars": {"input": "Where is GH-1?"}, "expected": "GH-1", "tags": ["plain"], "critical": True},
    {"id": "b", "vars": {"input": "mail ann@gmail.com"}, "expected": "GH-2", "cluster": "x"},
]


FOUND = (
    "personal-data: goldens/order.jsonl:2: `b` has what looks like an e-mail address. Replace it by an invented one,"
    " such as ann@example.com."
)


def repository(folder: Path) -> RepoBuilder:
    rows = "".join(json.dumps(row) + "\n" for row in ROWS)
    builder = RepoBuilder(folder / "shop").write({"promptci.yml": config(), PROMPT: prompt(GOOD), GOLDENS: rows})
    builder.commit()
    return builder


def test_findings_and_numbers_are_printed(tmp_path: Path) -> None:
    builder = repository(tmp_path)
    linted = call_promptci(["goldens", "lint"], builder.path, {})
    assert (linted.returncode, linted.stdout.splitlines()) == (
        1,
        [
            FOUND,
            "never-failed: there is no memory of earlier runs in .promptci/memory.",
            "1 finding in 2 cases",
        ],
    )
    assert call_promptci(["goldens", "stats"], builder.path, {}).stdout.splitlines() == [
        "order: 2 cases in goldens/order.jsonl",
        "  2 with an id, 1 critical, 1 cluster",
        "  assertions: equals 2",
        "  tags: plain 1",
        "  expected: GH-1 1, GH-2 1",
        "  variable input: 16 characters in the median, at most 18",
    ]


def test_a_variable_that_no_case_has_is_named_with_file_and_prompt(tmp_path: Path) -> None:
    builder = repository(tmp_path)
    builder.write({PROMPT: prompt(GOOD + " {{tone}}")})
    linted = call_promptci(["goldens", "lint"], builder.path, {})
    first, *_ = linted.stdout.splitlines()
    assert linted.returncode == 1
    assert first.startswith("unusable: goldens/order.jsonl:1: ")
    assert "`tone`, which prompts/order.prompt.yml uses" in first


def test_both_print_json(tmp_path: Path) -> None:
    builder = repository(tmp_path)
    linted = json.loads(call_promptci(["goldens", "lint", "--json"], builder.path, {}).stdout)
    assert (linted["schema"], [row["rule"] for row in linted["findings"]]) == (
        "promptci/goldens-lint/v1",
        ["personal-data"],
    )
    counted = json.loads(call_promptci(["goldens", "stats", "--json", "--prompt", "order"], builder.path, {}).stdout)
    assert (counted["schema"], counted["prompts"][0]["cases"]) == ("promptci/goldens-stats/v1", 2)
    assert call_promptci(["goldens", "stats", "--prompt", "nope"], builder.path, {}).returncode == 2


def test_no_golden_case_at_all_is_not_a_clean_set(tmp_path: Path) -> None:
    builder = repository(tmp_path)
    builder.remove(GOLDENS)
    builder.commit("no goldens")
    linted = call_promptci(["goldens", "lint"], builder.path, {})
    assert linted.returncode == 4
    assert "No prompt has golden cases, so nothing was checked" in linted.stderr
    builder.write({GOLDENS: ""}).commit("empty goldens")
    assert f"Add cases to {GOLDENS}, which is empty." in call_promptci(["goldens", "lint"], builder.path, {}).stderr


LOG = (
    {"promptci.request": "r1", "gen_ai.prompt.name": "order",
     "promptci.variables": {"input": "Where is GH-9? ann@gmail.com"},
     "gen_ai.output.messages": "GH-8", "gen_ai.evaluation.score.value": 0, "gen_ai.prompt.version": "v1"},
    {"promptci.request": "r2", "gen_ai.prompt.name": "order", "gen_ai.prompt.version": "v2",
     "gen_ai.input.messages": [{"role": "system", "content": "x"}, {"role": "user", "content": "Where is  gh-1?"}],
     "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "GH-1"}]}]},
    {"promptci.request": "r3", "gen_ai.prompt.name": "other", "promptci.variables": {"input": "no"}},
    {"promptci.request": "r4", "gen_ai.prompt.name": "order", "gen_ai.prompt.version": "v2",
     "gen_ai.input.messages": [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"},
                               {"role": "user", "content": "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789abcdefgh"}]},
    {"promptci.request": "r5", "gen_ai.prompt.name": "order", "gen_ai.prompt.version": "v2", "error.type": "timeout",
     "promptci.variables": {"input": "a long question " * 40}},
    {"promptci.request": "r6", "gen_ai.prompt.name": "order", "gen_ai.prompt.version": "v2", "error.type": "timeout",
     "promptci.variables": {"input": "a long  question " * 40 + "!"}},
    {"promptci.request": "r7", "gen_ai.prompt.name": "order"},
)  # fmt: skip


def write_log(folder: Path) -> Path:
    path = folder / "requests.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in LOG))
    return path


def test_a_failing_line_of_the_log_becomes_a_case_without_people(tmp_path: Path) -> None:
    builder, log = repository(tmp_path), write_log(tmp_path)
    added = call_promptci(["goldens", "add", "--from", str(log), "--line", "1", "--prompt", "order"], builder.path, {})
    assert added.returncode == 0, added.stderr
    assertion = {"type": "not-equals", "value": "GH-8", "name": "not the logged answer"}
    case = {"vars": {"input": "Where is GH-9? person@mail.example"}, "assert": [assertion], "tags": ["from-log"]}
    assert json.loads((builder.path / GOLDENS).read_text().splitlines()[-1]) == case
    again = call_promptci(
        ["goldens", "add", "--from", str(log), "--request", "r1", "--prompt", "order"], builder.path, {}
    )
    assert (again.returncode, "has a case with these variables" in again.stderr) == (2, True)
    assert call_promptci(["goldens", "stats"], builder.path, {}).stdout.startswith("order: 3 cases")


def test_the_right_answer_can_be_given(tmp_path: Path) -> None:
    builder, log = repository(tmp_path), write_log(tmp_path)
    command = ["goldens", "add", "--from", str(log), "--request", "r4", "--prompt", "order", "--expected", "GH-4"]
    before = (builder.path / GOLDENS).read_text()
    assert json.loads(call_promptci([*command, "--dry-run", "--json"], builder.path, {}).stdout)["dry_run"] is True
    assert (builder.path / GOLDENS).read_text() == before
    assert call_promptci(command, builder.path, {}).returncode == 0
    last = json.loads((builder.path / GOLDENS).read_text().splitlines()[-1])
    assert last["expected"] == "GH-4"
    assert last["vars"]["messages"][-1] == {"role": "user", "content": "[redacted]"}


def test_a_line_without_an_answer_needs_the_right_one(tmp_path: Path) -> None:
    builder, log = repository(tmp_path), write_log(tmp_path)
    done = call_promptci(["goldens", "add", "--from", str(log), "--line", "5", "--prompt", "order"], builder.path, {})
    assert (done.returncode, "has no answer" in done.stderr) == (2, True)
    none = call_promptci(["goldens", "add", "--from", str(log), "--line", "7", "--prompt", "order"], builder.path, {})
    assert (none.returncode, "0 requests of `order`" in none.stderr) == (2, True)


def test_a_sample_has_each_kind_of_request_once(tmp_path: Path) -> None:
    builder, log = repository(tmp_path), write_log(tmp_path)
    done = call_promptci(
        ["goldens", "sample", "--from", str(log), "--prompt", "order", "--size", "9"], builder.path, {}
    )
    cases = [json.loads(line) for line in done.stdout.splitlines()]
    # r2 is in the golden set but for blanks and capitals; of r5 and r6 one is enough.
    assert [case["metadata"]["line"] in {5, 6} or case["metadata"]["line"] for case in cases] == [1, True, 4]
    assert [case["tags"] for case in cases] == [["from-log", "failed"]] * 2 + [["from-log"]]
    assert "that the golden set lacks" in done.stderr
    (builder.path / GOLDENS).write_text(done.stdout)
    assert call_promptci(["goldens", "stats"], builder.path, {}).stdout.startswith("order: 3 cases")
