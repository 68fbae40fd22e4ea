"""Prompts that other tools exported are told apart by what is in the file, and the note says which and why."""

import json
from typing import Any

import pytest

from promptci.errors import InputError
from promptci.prompts.load import load_prompt, load_prompts
from promptci.prompts.model import Prompt
from promptci.prompts.options import PromptOptions
from promptci.prompts.template.filled_messages import fill_messages

TURNS = [{"role": "system", "content": "Be {{tone}}."}, {"role": "user", "content": "{{q}}"}]
FILLED = [("system", "Be kind."), ("user", "Why?")]


def langchain(kind: str, template: str, **options: Any) -> dict[str, Any]:
    prompt = {"lc": 1, "type": "constructor", "id": ["langchain", "PromptTemplate"],
              "kwargs": {"template": template, "template_format": "f-string", **options}}  # fmt: skip
    return {"lc": 1, "type": "constructor", "id": ["langchain", kind], "kwargs": {"prompt": prompt}}


CHAT = {
    "lc": 1,
    "type": "constructor",
    "id": ["langchain", "prompts", "chat", "ChatPromptTemplate"],
    "kwargs": {
        "messages": [
            langchain("SystemMessagePromptTemplate", "Be {tone}."),
            {"lc": 1, "id": ["langchain", "MessagesPlaceholder"], "kwargs": {"variable_name": "history"}},
            langchain("HumanMessagePromptTemplate", "{{q}}", template_format="mustache"),
        ]
    },
}
SEQUENCE = {"lc": 1, "id": ["langchain", "RunnableSequence"], "kwargs": {"first": CHAT, "last": {"lc": 1}}}


def load(value: Any, path: str = "prompts/order.json") -> Prompt:
    return load_prompt(path, json.dumps(value).encode(), lambda _: None, PromptOptions(model="m"))


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (TURNS, "an OpenAI chat request, because it is a list"),
        ({"model": "gpt-4o", "messages": TURNS}, "an OpenAI chat request, because it has `messages`"),
        ({"name": "order", "type": "chat", "prompt": TURNS, "config": {"model": "x"}}, "a Langfuse prompt"),
        (CHAT, "a LangChain prompt, because it has `lc`"),
        (SEQUENCE, "a LangChain prompt"),
        ({"commit_hash": "1", "manifest": CHAT}, "a LangSmith prompt"),
    ],
)
def test_an_export_is_read_by_its_shape(value: Any, kind: str) -> None:
    prompt = load(value)
    filled = [(m["role"], m["content"]) for m in fill_messages(prompt.messages, {"tone": "kind", "q": "Why?"})]
    assert (prompt.name, filled) == ("order", FILLED)
    assert f"this is read as {kind}" in prompt.notes[0]
    assert load_prompts({"a.json": json.dumps(value).encode()}.get, {"a.json": ()}, PromptOptions(model="m"))[1] == []


def test_parameters_of_a_request_are_sent_and_the_rest_is_named() -> None:
    schema = {"name": "a", "schema": {"type": "object"}}
    prompt = load(
        {
            "model": "gpt-4o", "messages": TURNS, "temperature": 0, "tools": [{"type": "function"}],
            "tool_choice": "auto", "response_format": {"type": "json_schema", "json_schema": schema}, "stuff": 1,
        }
    )  # fmt: skip
    assert (prompt.model, prompt.response_format, prompt.json_schema) == ("gpt-4o", "json_schema", schema)
    assert prompt.parameters == {"temperature": 0, "tools": [{"type": "function"}], "tool_choice": "auto"}
    assert "`stuff` is not a parameter and is ignored" in prompt.notes[-1]


def test_a_text_of_langfuse_and_one_of_langchain() -> None:
    texts = [
        load({"prompt": "Say {{q}}", "type": "text", "version": 3}),
        load({"_type": "prompt", "template": "Say {q}", "template_format": "f-string", "input_variables": ["q"]}),
    ]
    assert [fill_messages(prompt.messages, {"q": "x"})[0]["content"] for prompt in texts] == ["Say x", "Say x"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([{"role": "user", "content": [{"type": "image_url"}]}], "neither a text nor an image"),
        ({"manifest": {"kwargs": {}}}, "`manifest` is no prompt of LangChain"),
        ({"lc": 1, "id": ["x", "ChatOpenAI"], "kwargs": {}}, "`ChatOpenAI` of LangChain is not read"),
        ({"messages": TURNS, "temperature": 9}, "must be between 0 and 2"),
        ({"messages": TURNS, "response_format": {"type": "xml"}}, "unknown response format `xml`"),
        ({"a": {"b": "c"}}, "does not say which part of the file is the prompt"),
        ([], "does not say which part of the file is the prompt"),
    ],
)
def test_what_is_not_read_is_named(value: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load(value)
    assert message in str(caught.value)


CONFIG = """\
prompts:
  - file://prompts/a.txt
  - {raw: "Answer {{q}}", label: second}
providers: [openai:gpt-4o-mini]
tests:
  - vars: {q: one}
    assert: [{type: contains, value: "1"}]
  - vars: {q: two}
    assert: [{type: equals, value: "2"}, {type: python, value: "print(1)"}]
"""


def test_a_promptfoo_configuration_is_read_without_an_import() -> None:
    files = {"promptfooconfig.yaml": CONFIG.encode(), "prompts/a.txt": b"Say {{q}}"}
    prompts, problems = load_prompts(files.get, {"promptfooconfig.yaml": ()}, PromptOptions())
    first, second = prompts.values()
    assert (problems, first.name, second.name, first.model) == ([], "a", "second", "gpt-4o-mini")
    assert [case["vars"] for case in first.own_cases] == [{"q": "one"}]
    assert first.includes == ("prompts/a.txt",)
    notes = " ".join(first.notes)
    assert "the assertion `python`." in notes
    assert "not run: 1 of 2 tests, of which something that decides is left out: number 2." in notes


def test_a_misspelt_parameter_is_named_with_the_one_that_is_meant() -> None:
    (note,) = [note for note in load({"messages": TURNS, "max_token": 5}).notes if "ignored" in note]
    assert note.endswith("`max_token` (did you mean `max_tokens`?) is not a parameter and is ignored.")
