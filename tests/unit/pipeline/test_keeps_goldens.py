"""Goldens that no file of a change can have edited are read once, and all others at both revisions."""

from collections.abc import Collection
from dataclasses import replace

import pytest

from promptci.pipeline.collection.change_reasons import PromptPair, keeps_goldens
from promptci.prompts.model import Message, Prompt

PROMPT = Prompt(name="p", path="p.prompt.yml", model="m", messages=(Message(role="user", content="{{word}}"),))
GOLDENS = ["goldens/p.jsonl"]


@pytest.mark.parametrize(
    ("head", "head_paths", "touched", "keeps"),
    [
        (replace(PROMPT, model="other"), GOLDENS, {"p.prompt.yml"}, True),
        (PROMPT, GOLDENS, {"p.prompt.yml", "goldens/p.jsonl"}, False),
        (PROMPT, [*GOLDENS, "goldens/p.csv"], {"goldens/p.csv"}, False),
        (PROMPT, GOLDENS, {"goldens/photo.PNG"}, False),
        (replace(PROMPT, test_data=({"word": "a"},)), GOLDENS, {"p.prompt.yml"}, False),
        (replace(PROMPT, own_cases=({"vars": {"word": "a"}},)), GOLDENS, {"p.prompt.yml"}, False),
        (replace(PROMPT, path="q.prompt.yml"), GOLDENS, {"p.prompt.yml", "q.prompt.yml"}, False),
        (replace(PROMPT, messages=(Message(role="user", content="{{term}}"),)), GOLDENS, {"p.prompt.yml"}, False),
        (None, GOLDENS, {"p.prompt.yml"}, False),
    ],
)
def test_goldens_are_the_same_where_nothing_of_them_is_touched(
    head: Prompt | None, head_paths: Collection[str], touched: Collection[str], keeps: bool
) -> None:
    assert keeps_goldens(PromptPair(base=PROMPT, head=head), GOLDENS, head_paths, touched) is keeps
