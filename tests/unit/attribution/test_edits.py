"""A change is split into its edits, and any subset of them makes a version between base and head."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.attribution.edits import split_change
from promptci.prompts.model import Message, Prompt

LINES = st.lists(
    st.sampled_from(["", "- one", "- two", "Be brief. Be kind.", "Be brief. Be rude.", "{{input}}"]), max_size=6
)
ENDS = st.sampled_from(["", "\n"])
TEXTS = st.builds(lambda lines, end: "\n".join(lines) + end, LINES, ENDS)
MESSAGES = st.builds(Message, role=st.sampled_from(["system", "user", "assistant"]), content=TEXTS)
PROMPTS = st.builds(
    Prompt,
    name=st.just("order"),
    path=st.just("order.prompt.yml"),
    model=st.sampled_from(["small", "large"]),
    parameters=st.dictionaries(st.sampled_from(["temperature", "max_tokens"]), st.integers(0, 2)),
    response_format=st.sampled_from(["text", "json_object"]),
    messages=st.lists(MESSAGES, min_size=1, max_size=4).map(tuple),
)


def make_prompt(text: str, **changes: Any) -> Prompt:
    message = Message(role="system", content=text)
    return replace(Prompt(name="a", path="a", model="m", messages=(message,)), **changes)


@given(PROMPTS, PROMPTS)
def test_no_edit_is_base_and_all_edits_are_head(base: Prompt, head: Prompt) -> None:
    change = split_change(base, head)
    numbers = [edit.number for edit in change.edits]
    assert numbers == list(range(1, len(numbers) + 1))
    assert change.build(numbers).fingerprint == head.fingerprint
    assert change.build([]).fingerprint == base.fingerprint
    assert bool(numbers) == (base.fingerprint != head.fingerprint)


@pytest.mark.parametrize(
    ("before", "after", "edits"),
    [
        ("Be brief.\nBe kind.\n", "Be brief.\nBe rude.\n", [("Be kind.", "Be rude.")]),
        ("Be brief. Be kind.", "Be short. Be kind.", [("Be brief. ", "Be short. ")]),
        ("a\n- one\n- two\n  more\nb\n", "a\nb\n", [("- one", ""), ("- two\n  more", "")]),
        ("a\n\nb\n", "a\n\nExample one.\n\nExample two.\n\nb\n", [("", "Example one."), ("", "Example two.")]),
        ("one\ntwo\n", "eins\nzwei\n", [("one", "eins"), ("two", "zwei")]),
        (
            "You read letters.\nAnswer with the number alone.\nIt begins with HB.",
            "You read short letters.\nIt always begins with HB.",
            [
                ("You read letters.", "You read short letters."),
                ("Answer with the number alone.", ""),
                ("It begins with HB.", "It always begins with HB."),
            ],
        ),
        (
            "- read it\n- answer in JSON\n- be brief\n",
            "- read all of it\n- answer in plain JSON\n- name the date\n- quote nothing\n- be very brief\n",
            [
                ("- read it", "- read all of it"),
                ("- answer in JSON", "- answer in plain JSON"),
                ("", "- name the date"),
                ("", "- quote nothing"),
                ("- be brief", "- be very brief"),
            ],
        ),
        (
            "one\nAsk for the date.\nAsk for the place.\n",
            "Ask for a date.\nAsk for a place.\nlast\n",
            [
                ("one", ""),
                ("Ask for the date.", "Ask for a date."),
                ("Ask for the place.", "Ask for a place."),
                ("", "last"),
            ],
        ),
        ("a\nb", "a", [("b", "")]),
    ],
)
def test_edits_are_as_small_as_a_person_would_make_them(before: str, after: str, edits: list[tuple[str, str]]) -> None:
    change = split_change(make_prompt(before), make_prompt(after))
    assert [(edit.before.strip("\n"), edit.after.strip("\n")) for edit in change.edits] == edits


@given(PROMPTS, PROMPTS, st.data())
def test_every_subset_of_edits_keeps_lines_apart(base: Prompt, head: Prompt, data: st.DataObject) -> None:
    """A line that is removed or added at the end joins no other line, whatever else is undone."""
    change = split_change(base, head)
    applied = data.draw(st.sets(st.sampled_from([edit.number for edit in change.edits]))) if change.edits else set()
    known = {line for prompt in (base, head) for message in prompt.messages for line in message.content.splitlines()}
    sentences = {part for line in known for part in line.replace(". ", ".\n").splitlines()} | {""}
    for message in change.build(applied).messages:
        for line in message.content.splitlines():
            assert set(line.replace(". ", ".\n").splitlines()) <= sentences


def test_settings_are_edits_of_their_own() -> None:
    base = make_prompt("x", parameters={"temperature": 0})
    head = make_prompt("x", model="n", parameters={"temperature": 1, "top_p": 0.5})
    change = split_change(base, head)
    assert [(edit.place, edit.before, edit.after) for edit in change.edits] == [
        ("model", "m", "n"),
        ("parameter temperature", "0", "1"),
        ("parameter top_p", "", "0.5"),
    ]
    middle = change.build([1, 3])
    assert (middle.model, dict(middle.parameters)) == ("n", {"temperature": 0, "top_p": 0.5})


def test_whole_messages_come_and_go() -> None:
    system, user = Message(role="system", content="a"), Message(role="user", content="{{input}}")
    example = (Message(role="user", content="2+2"), Message(role="assistant", content="4"))
    base = replace(make_prompt(""), messages=(system, *example, user))
    head = replace(base, messages=(user, Message(role="system", content="b")))
    change = split_change(base, head)
    assert [(edit.place, edit.before, edit.after) for edit in change.edits] == [
        ("removed system message", "a", ""),
        ("removed example", "2+2\n4", ""),
        ("added system message", "", "b"),
    ]
    assert [message.content for message in change.build([1, 3]).messages] == ["2+2", "4", "{{input}}", "b"]
