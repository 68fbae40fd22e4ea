"""promptfoo itself makes the same messages of a configuration, and passes and fails the same answers."""

import asyncio
import json
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from fakes import tools
from support.gold_files import GOLD
from support.promptfoo_tests import ASSERTIONS, CONFIGS, OUTPUTS, TESTS

from promptci.goldens.load import parse_own_cases
from promptci.prompts.load import load_prompts
from promptci.prompts.options import PromptOptions
from promptci.prompts.promptfoo.load import load_promptfoo
from promptci.prompts.template.filled_messages import fill_messages
from promptci.providers.base import Completion
from promptci.runs.model import Answer
from promptci.runs.prompt_plan import Arm
from promptci.scoring import check_assertions
from promptci.scoring.score import score_answers

SCRIPT = GOLD.parent / "support" / "promptfoo_original.cjs"
VARIABLES = {"name": "Ann"}
LATENCY_MS, COST_USD = 1000, 0.01


def ask_original(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    command = ["node", str(SCRIPT), str(tools.promptfoo_modules())]
    text = "\n".join(map(json.dumps, items))
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=500, check=True)
    return [json.loads(line[1:]) for line in done.stdout.splitlines() if line.startswith("@")]


def list_tests() -> Iterator[tuple[dict[str, Any], str]]:
    for test in (*({"assert": [assertion]} for assertion in ASSERTIONS), *TESTS):
        for output in OUTPUTS:
            yield {"vars": VARIABLES, **test}, output


def judge(test: dict[str, Any], output: str) -> bool | None:
    """Return whether promptci passes an answer; None where it does not score it."""
    config = load_promptfoo("c.json", {"c.json": json.dumps({"prompts": ["{{name}}"], "tests": [test]}).encode()}.get)
    if config.incomplete:
        return True if "nothing is asserted" in "".join(config.left_out) else None
    (case,) = parse_own_cases("c.json", config.cases)
    assert check_assertions.find_problems([case]) == []
    completion = Completion(text=output, latency_ms=LATENCY_MS, finish_reason="stop")
    answer = Answer(
        prompt="p", arm=Arm.HEAD, case_id=case.id, replicate=0, request_key="k", completion=completion,
        cost_usd=Decimal(str(COST_USD)),
    )  # fmt: skip
    (scored,) = asyncio.run(score_answers([answer], {case.id: case}, None))
    return scored.passed


@pytest.mark.long
def test_every_deterministic_assertion_passes_and_fails_the_same_answers() -> None:
    tests = list(list_tests())
    response = {"latencyMs": LATENCY_MS, "cost": COST_USD, "finishReason": "stop"}
    theirs = ask_original([{"test": test, "output": output, "response": response} for test, output in tests])
    compared = [
        (test, output, answer) for (test, output), answer in zip(tests, theirs, strict=True) if "pass" in answer
    ]
    ours = [judge(test, output) for test, output, _ in compared]
    differences = [
        (test["assert"], output, answer, own)
        for (test, output, answer), own in zip(compared, ours, strict=True)
        if own != answer["pass"]
    ]
    assert differences == []
    kinds = Counter(test["assert"][0]["type"].removeprefix("not-") for test, _, _ in compared)
    assert {kind: count for kind, count in kinds.items() if count < 60} == {}
    refused = {output for (_, output), answer in zip(tests, theirs, strict=True) if "error" in answer}
    assert refused == {""}  # a score of no words


def list_chats(files: dict[str, str]) -> list[list[dict[str, Any]]]:
    data = {name: text.encode() for name, text in files.items()}
    prompts, problems = load_prompts(data.get, {"c.yaml": ()}, PromptOptions(model="m"))
    assert problems == []
    cases = load_promptfoo("c.yaml", data.get).cases  # those too of which nothing is asserted
    return [
        [dict(message) for message in fill_messages(prompt.messages, case["vars"])]
        for case in cases
        for prompt in prompts.values()
    ]


@pytest.mark.long
def test_a_configuration_becomes_the_messages_of_the_original() -> None:
    theirs = ask_original([{"files": files, "config": "c.yaml"} for files in CONFIGS])
    ours = [list_chats(files) for files in CONFIGS]
    assert ours == [answer["chats"] for answer in theirs]
    assert len({json.dumps(chat) for chats in ours for chat in chats}) >= 60
