"""Google's own dotprompt fills in every template to the same messages."""

import itertools
import json
import subprocess
from typing import Any

import pytest
from fakes import tools
from support.gold_files import GOLD

from promptci.prompts.load import load_prompt
from promptci.prompts.options import PromptOptions
from promptci.prompts.template.filled_messages import fill_messages

SCRIPT = GOLD.parent / "support" / "dotprompt_original.mjs"
TEMPLATES = (
    "Hi {{name}}, {{{name}}}.",
    '{{role "system"}}\nBe kind.\n{{role "user"}}\n{{name}}\n{{role "model"}}ok',
    'First {{name}}\n{{role "system"}}  \n{{role "user"}}last',
    "---\nmodel: googleai/x\nconfig: {temperature: 0}\n---\n\n  {{name}}  \n\n",
    "{{#if name}}yes{{else}}no{{/if}}",
    "a\n{{#if name}}\n  yes {{name}}\n{{else}}\n  no\n{{/if}}\nb",
    "a {{#if name}} yes {{/if}} b\n{{#unless name}}\nnone\n{{/unless}}\nc",
    "{{#each items}}{{@index}}={{label}}{{#unless @last}}, {{/unless}}{{/each}}",
    "List:\n{{#each items}}\n- {{this.label}} for {{../name}}\n{{/each}}\nEnd",
    "{{#each items}}\n{{#each tags}}\n* {{this}} {{../label}} {{../../name}}\n{{/each}}\n{{else}}\nnothing\n{{/each}}",
    "{{#with user}}{{kind}} {{../name}}{{/with}}",
    "{{user.kind}}: {{items.0.label}}",
    '{{#ifEquals name "Ann"}}same{{else}}other{{/ifEquals}}',
    '{{#unlessEquals name "Ann"}}other{{/unlessEquals}}.',
    "x {{! a comment }} y\n{{! on its own line }}\nz {{!-- {{name}} --}}.",
    "a   {{~name~}}   b {{~#if name~}}  c  {{~/if~}} d",
    "Rules: {{>rules}} and {{@root.name}}",
    "{{>rules}}\n{{#each items}}{{>rules}}{{/each}}",
    "{% raw %} {# {{name}} #} {%- if -%}",
    "{{#each items}}{{#if @first}}[{{/if}}{{label}}{{#if @last}}]{{/if}}{{/each}}",
)
VARIABLES: tuple[dict[str, Any], ...] = (
    {"name": "Ann", "items": [{"label": "a", "tags": ["x", "y"]}, {"label": "b", "tags": []}], "user": {"kind": "r"}},
    {"name": "", "items": [{"label": "<&>", "tags": ["{{x}}"]}], "user": {"kind": "{% x %}"}},
    {"name": "two\nlines\n", "items": [{"label": "c", "tags": ["z"]}] * 3, "user": {"kind": '"'}},
)
PARTIALS = {"rules": "be {{label}}!"}


def ours(template: str, variables: dict[str, Any]) -> list[list[str]]:
    files = {f"prompts/_{name}.prompt": text.encode() for name, text in PARTIALS.items()}
    prompt = load_prompt("prompts/a.prompt", template.encode(), files.get, PromptOptions(model="m"))
    roles = {"assistant": "model"}
    filled = fill_messages(prompt.messages, {"label": "", **variables})
    # The original leaves out a message that is blank once it is filled in; here it is sent.
    return [[str(roles.get(m["role"], m["role"])), m["content"]] for m in filled if m["content"].strip()]


@pytest.mark.long
def test_every_template_becomes_the_messages_of_the_original() -> None:
    cases = list(itertools.product(TEMPLATES, VARIABLES))
    assert len(cases) >= 60
    lines = [
        json.dumps({"text": text, "variables": {"label": "", **values}, "partials": PARTIALS}) for text, values in cases
    ]
    command = ["node", str(SCRIPT), str(tools.node_modules())]
    done = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, timeout=100, check=True)
    theirs = [json.loads(line) for line in done.stdout.splitlines()]
    differences = [
        (template, values, expected, ours(template, values))
        for (template, values), expected in zip(cases, theirs, strict=True)
        if ours(template, values) != expected
    ]
    assert differences == []
