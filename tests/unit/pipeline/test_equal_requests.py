from typing import Any

import pytest

from promptci.goldens.model import Case, GoldenSet
from promptci.pipeline.collection.equal_requests import asks_the_same
from promptci.pipeline.collection.prompt_version import PromptVersion
from promptci.prompts.model import Message, MessageSyntax, Prompt


def version(
    *messages: tuple[str, str], syntax: MessageSyntax = "fill", cases: list[dict[str, Any]] | None = None
) -> PromptVersion:
    variables = cases or [{"word": "a"}, {"word": "b"}]
    return PromptVersion(
        prompt=Prompt(
            name="p",
            path="p.prompt.yml",
            model="m",
            messages=tuple(Message(role=role, content=text, syntax=syntax) for role, text in messages),
        ),
        goldens=GoldenSet(
            paths=(),
            cases=tuple(Case(id=str(number), vars=each, path="p.jsonl") for number, each in enumerate(variables)),
        ),
    )


@pytest.mark.parametrize(
    ("head", "same"),
    [
        (version(("system", "Be kind."), ("user", "{{ word }}")), True),
        (version(("system", "Be kind."), ("user", "{{word}}"), cases=[{"word": "b"}, {"word": "a"}]), True),
        (
            version(
                ("system", "Be {{how}}."),
                ("user", "{{word}}"),
                cases=[{"word": "a", "how": "kind"}, {"word": "b", "how": "kind"}],
            ),
            True,
        ),
        (version(("system", "Be rude."), ("user", "{{word}}")), False),
        (version(("developer", "Be kind."), ("user", "{{word}}")), False),
        (version(("system", "Be kind."), ("user", "{{word}}"), ("system", "Be brief.")), False),
        (version(("system", "Be kind."), ("user", "{{word}}"), cases=[{"word": "a"}, {"word": "a"}]), False),
        (version(("system", "Be kind."), ("user", "{{word}} {{missing}}")), False),
        (version(("user", "{{word}}")), False),
    ],
)
def test_versions_ask_the_same_where_all_requests_are_equal_and_equally_many(head: PromptVersion, same: bool) -> None:
    base = version(("system", "Be kind."), ("user", "{{word}}"))

    assert asks_the_same(base, head) is same
    assert asks_the_same(head, base) is same


def test_an_instruction_stays_the_same_where_a_conversation_takes_the_place_of_the_other_messages() -> None:
    talks: list[dict[str, Any]] = [{"messages": [{"role": "user", "content": "Hi"}]}]
    base = version(("system", "Be kind."), ("user", "Hello"), cases=talks)

    assert asks_the_same(base, version(("system", "Be kind."), ("user", "Good morning"), cases=talks))
    assert not asks_the_same(base, version(("system", "Be rude."), ("user", "Hello"), cases=talks))


def test_a_jinja_instruction_is_compared_as_it_is_sent() -> None:
    base = version(("system", "Be {{ 'kind' }}."), ("user", "{{word}}"), syntax="jinja")
    head = version(("system", "Be kind."), ("user", "{{word}}"), syntax="jinja")

    assert asks_the_same(base, head)
