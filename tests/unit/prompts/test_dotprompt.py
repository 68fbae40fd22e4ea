"""dotprompt: the messages are those of the original, and what is not read is named with its line."""

from collections.abc import Mapping
from typing import Any

import pytest

from promptci.errors import InputError
from promptci.prompts.load import load_prompt
from promptci.prompts.model import Prompt
from promptci.prompts.options import PromptOptions
from promptci.prompts.template.filled_messages import fill_messages

OPTIONS = PromptOptions(model="m")


def load(text: str, files: Mapping[str, str] | None = None) -> Prompt:
    read = {path: part.encode() for path, part in (files or {}).items()}.get
    return load_prompt("prompts/order.prompt", text.encode(), read, OPTIONS)


def fill(text: str, files: Mapping[str, str] | None = None, **variables: Any) -> list[tuple[str, str]]:
    messages = fill_messages(load(text, files).messages, variables)
    return [(message["role"], message["content"]) for message in messages]


@pytest.mark.parametrize(
    ("template", "variables", "expected"),
    [
        ("Hi {{name}}!", {"name": "<Ann>"}, "Hi <Ann>!"),
        ("{{{name}}} {{a.b}}", {"name": "x", "a": {"b": "y"}}, "x y"),
        ("{{#if a}}yes{{else}}no{{/if}}", {"a": ""}, "no"),
        ("{{#unless a}}no{{/unless}}.", {"a": []}, "no."),
        ("a\n{{#if a}}\nyes\n{{/if}}\nb", {"a": "1"}, "a\nyes\nb"),
        ("{{#each xs}}{{@index}}:{{this}} {{/each}}", {"xs": ["a", "b"]}, "0:a 1:b "),
        ("{{#each xs}}{{#if @first}}[{{/if}}{{name}}{{#if @last}}]{{/if}}{{/each}}",
         {"xs": [{"name": "a"}, {"name": "b"}]}, "[ab]"),
        ("{{#each xs}}\n- {{this.n}} of {{../all}}\n{{/each}}\nend", {"xs": [{"n": "1"}, {"n": "2"}], "all": "9"},
         "- 1 of 9\n- 2 of 9\nend"),
        ("{{#each xs}}{{#each this.ys}}{{this}}{{../k}}{{/each}};{{/each}}",
         {"xs": [{"ys": ["a", "b"], "k": "1"}]}, "a1b1;"),
        ("{{#each xs}}x{{else}}none{{/each}}", {"xs": []}, "none"),
        ("{{#with a}}{{b}}{{/with}}", {"a": {"b": "y"}}, "y"),
        ('{{#ifEquals a "x"}}same{{else}}other{{/ifEquals}}', {"a": "x"}, "same"),
        ("{{#unlessEquals a b}}differ{{/unlessEquals}}", {"a": "x", "b": "y"}, "differ"),
        ("a {{! note }}b{{!-- {{x}} --}}c", {}, "a bc"),
        ("a  {{~name~}}  b", {"name": "x"}, "axb"),
        ("{% if x %} {# y #} {{name}}", {"name": "x"}, "{% if x %} {# y #} x"),
        ("{{@root.a}}", {"a": "x"}, "x"),
        ("{{xs.[1]}}{{xs.0}}", {"xs": ["a", "b"]}, "ba"),
    ],
)  # fmt: skip
def test_a_template_is_filled_in_as_by_the_original(template: str, variables: dict[str, Any], expected: str) -> None:
    assert fill(template, **variables) == [("user", expected)]


def test_roles_begin_messages() -> None:
    text = '{{role "system"}}\nBe {{tone}}.\n{{role "model"}}Hello\n{{role "user"}}{{q}}\n'
    assert fill(text, tone="kind", q="Why?") == [("system", "\nBe kind.\n"), ("assistant", "Hello\n"), ("user", "Why?")]


def test_settings_become_parameters() -> None:
    prompt = load(
        "---\nmodel: gemini-pro\nconfig: {temperature: 0.5, maxOutputTokens: 9, stopSequences: [x], topP: 1}\n"
        "output: {format: json, schema: {a: string}}\ninput: {default: {a: 1}}\nmyext.key: 3\n---\nHi"
    )
    assert (prompt.model, prompt.response_format, prompt.name) == ("gemini-pro", "json_object", "order")
    assert prompt.parameters == {"temperature": 0.5, "max_tokens": 9, "stop": ["x"], "top_p": 1}
    assert [note.split(": ", 1)[1][:15] for note in prompt.notes] == ["`input.default`", "`output.schema`"]


def test_partials_are_read_and_a_change_of_one_changes_the_prompt() -> None:
    files = {"prompts/_rule.prompt": "---\nmodel: x\n---\nBe {{tone}}.\n"}
    assert fill("A {{>rule}} B", files, tone="kind") == [("user", "A Be kind. B")]
    prompt = load("{{> rule}}", files)
    assert prompt.includes == ("prompts/_rule.prompt",)
    assert prompt.fingerprint != load("{{> rule}}", {"prompts/_rule.prompt": "Be {{tone}}!"}).fingerprint


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("a\n{{media url=photo}}", "order.prompt:2: `{{media url=photo}}`: the helper `media` is not supported"),
        ("{{history}}", "the helper `history` is not supported"),
        ("{{json a}}", "the helper `json` is not supported"),
        ('{{#if a}}{{role "user"}}{{/if}}', "a role within a block is not supported"),
        ('{{role "tool"}}', "a role is one of"),
        ("{{#if a}}", "`{{#if}}` is not closed"),
        ("{{/if}}", "closes a block that is not open"),
        ("{{#each a as |x|}}{{/each}}", "the block `each` is not supported in this form"),
        ("{{#each a}}{{@key}}{{/each}}", "`@key` is not supported"),
        ("{{../a}}", "leads out of the template"),
        ("{{> none}}", "there is no partial `none`"),
        ("{{> ../../secret}}", "there is no partial"),
        ("---\nmodell: x\n---\nHi", "Did you mean `model`?"),
        ("---\nmodel: x\nHi", "the settings at the beginning are not closed"),
        ("---\nmodel: !!python/object:os.system x\n---\nHi", "order.prompt:2"),
        ("", "the prompt is empty"),
    ],
)
def test_what_is_not_read_is_named(template: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load(template)
    assert message in str(caught.value)


def test_a_partial_within_itself_ends() -> None:
    with pytest.raises(InputError, match="nested deeper"):
        load("{{> a}}", {"prompts/_a.prompt": "{{> a}}"})
