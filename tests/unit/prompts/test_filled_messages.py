"""Messages that are filled in when they are looked at are the messages filled in at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.prompts.model import Message
from promptci.prompts.template import render
from promptci.prompts.template.filled_messages import FilledMessages, fill_messages
from promptci.providers.base import Request

texts = st.text(st.sampled_from("{}name x."), max_size=20)
messages = st.lists(st.builds(Message, role=st.sampled_from(["system", "user"]), content=texts), max_size=4).map(tuple)
variables = st.fixed_dictionaries({}, optional={name: st.text("ab{}", max_size=3) for name in ("name", "x")})


def at_once(templates: tuple[Message, ...], values: dict[str, str]) -> tuple[dict[str, str], ...]:
    return tuple({"role": template.role, "content": render.render(template.content, values)} for template in templates)


@given(messages, variables)
def test_what_is_filled_in_late_is_what_is_filled_in_at_once(
    templates: tuple[Message, ...], values: dict[str, str]
) -> None:
    filled = FilledMessages(templates, values)
    assert len(filled) == len(templates)
    try:
        plain = at_once(templates, values)
    except render.MissingVariable:
        with pytest.raises(render.MissingVariable):
            tuple(filled)
        return
    assert tuple(filled) == plain
    assert filled == plain
    assert filled == FilledMessages(templates, values)
    assert filled[1:] == plain[1:]
    assert Request(model="m", messages=filled).key == Request(model="m", messages=plain).key


def test_other_messages_are_others() -> None:
    filled = FilledMessages((Message(role="user", content="{{x}}"),), {"x": "1"})
    assert filled != FilledMessages((Message(role="user", content="{{x}}"),), {"x": "2"})
    assert filled != ()
    assert filled != "1"


TURNS = [{"role": "user", "content": "Hi {{x}}"}, {"role": "assistant", "content": "Hello"}]


def test_a_conversation_takes_the_place_of_the_prompts_own_turns_and_is_sent_as_written() -> None:
    templates = (Message(role="system", content="Be {{tone}}."), Message(role="user", content="{{input}}"))
    filled = fill_messages(templates, {"tone": "kind", "messages": TURNS})
    assert tuple(filled) == ({"role": "system", "content": "Be kind."}, *TURNS)


NO_CONVERSATIONS: list[object] = ["text", [], [1], [{"role": "tool", "content": "x"}], [{"role": "user", "content": 3}]]


@pytest.mark.parametrize("value", NO_CONVERSATIONS)
def test_a_variable_that_is_no_conversation_stays_a_variable(value: object) -> None:
    templates = (Message(role="user", content="Say {{x}}"),)
    assert tuple(fill_messages(templates, {"x": "a", "messages": value})) == ({"role": "user", "content": "Say a"},)


def test_a_prompt_that_uses_the_variable_messages_gets_it_as_a_text() -> None:
    templates = (Message(role="user", content="{{messages}}"),)
    ((message,)) = tuple(fill_messages(templates, {"messages": TURNS}))
    assert "Hello" in message["content"]
