"""The README's numbers of the demo are those that the tool prints."""

import re
from pathlib import Path

from support.cli_runs import run_command

from promptci.usecases.setup import demo

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_has_the_number_of_requests_that_the_estimate_has(tmp_path: Path) -> None:
    demo.create_demo_repository(tmp_path / "shop")
    text = run_command(tmp_path / "shop", ["check", "--base", "main", "--dry-run"], tmp_path / "out").text
    numbers = [r"calls: (\d+) ", r"judges: (\d+) calls", r"at most (\d+) more calls", r"at most (\d+) calls to explain"]
    asked, judged, again, explained = (int(match[1]) for number in numbers if (match := re.search(number, text)))
    sentence = f"sends {asked + judged} requests, and at most {again + explained} that may follow"
    assert README.read_text(encoding="utf-8").replace("\n", " ").count(sentence) == 1, sentence
