"""A prompt that is gone and one that is new are one prompt where they share goldens or most of what they say."""

from promptci.pipeline.collection.change_reasons import pair_prompts
from promptci.prompts.model import Message, Prompt


def make_prompt(name: str, instruction: str) -> Prompt:
    messages = (Message(role="system", content=instruction), Message(role="user", content="{{message}}"))
    path = f"prompts/{name}.prompt.yml"
    source = (
        f"name: {name}\nmodel: mock-1\nmodelParameters: {{temperature: 0}}\nmessages:\n  - role: system\n"
        f"    content: |\n      {instruction}\n  - role: user\n    content: '{{{{message}}}}'\n"
    )
    return Prompt(name=name, path=path, model="mock-1", messages=messages, source=source)


TONE = make_prompt("tone", "Name the tone of the message in one word.")
TAG = make_prompt("tag", "Classify what a customer wants. Labels: account, billing, shipping, other. Give one label.")


def test_the_keys_that_all_prompt_files_share_make_no_rename() -> None:
    pairs = pair_prompts({TONE.address: TONE}, {TAG.address: TAG}, [])
    assert [(pair.base, pair.head) for pair in pairs] == [(None, TAG), (TONE, None)]


def test_a_prompt_under_another_name_is_compared_with_what_it_was() -> None:
    moved = make_prompt("mood", "Name the tone of the message in one short word.")
    assert [(pair.base, pair.head) for pair in pair_prompts({TONE.address: TONE}, {moved.address: moved}, [])] == [
        (TONE, moved)
    ]


def test_shared_goldens_pair_even_what_was_written_anew() -> None:
    pairs = pair_prompts({TONE.address: TONE}, {TAG.address: TAG}, [], lambda _: ["goldens/shared.jsonl"])
    assert [(pair.base, pair.head) for pair in pairs] == [(TONE, TAG)]
