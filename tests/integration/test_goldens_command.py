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
            "1 finding in 2 cases",
        ],
    )
    assert call_promptci(["goldens", "stats"], builder.path, {}).stdout.splitlines() == [
        "order: 2 cases in goldens/order.jsonl",
        "  2 with an id, 1 critical, 1 clusters",
        "  assertions: equals 2",
        "  tags: plain 1",
        "  expected: GH-1 1, GH-2 1",
        "  variable input: 16 characters in the median, at most 18",
    ]


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
