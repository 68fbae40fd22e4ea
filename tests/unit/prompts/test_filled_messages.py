"""Messages that are filled in when they are looked at are the messages filled in at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.prompts.model import Message
from promptci.prompts.template import render
from promptci.prompts.template.filled_messages import FilledMessages
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
