"""Microsoft's own prompty fills in every file to the same messages."""

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

SCRIPT = GOLD.parent / "support" / "prompty_original.py"
FRONT = "---\nname: order\nmodel:\n  api: chat\n  configuration: {type: openai, name: m}\n---\n"
BODIES = (
    "system:\nYou are kind.\n\nuser:\n{{question}}\n",
    "system:\nYou are {{tone}}.\nuser:\n{{question}}",
    "System:\nBe brief.\nUSER:\n{{question}}\nAssistant:\nSure.\nuser:\nThanks, {{tone}}.\n",
    "# system:\nRules:\n{% for rule in rules %}\n- {{rule}}\n{% endfor %}\n\n# user:\n{{question}}\n",
    "system:\n{% if tone == 'kind' %}Be kind.{% else %}Be {{tone}}.{% endif %}\nuser:\n{{question}}",
    "system:\n{% for rule in rules %}{{loop.index}}. {{rule}}{% if not loop.last %};{% endif %}{% endfor %}\nuser:\nok",
    "system:\n{{ tone | upper }} {{ rules | length }} {{ rules | join(', ') }}\nuser:\n{{question|trim}}",
    "user:\n{{question}}",
    "system:\nA\n\nB\n\n\nuser:\n\n\n  {{question}}\n\n",
    "system:\nIt\n{%- if rules -%} has rules {%- endif -%} .\nuser:\n{{ rules[0] | default('none') }}",
    "  system:\nindented role\n  user:\n{{question}}",
    "system:\n{{ customer.name }} of {{ customer['town'] }}\nuser:\n{{question}}",
    "system:\n{# a comment #}Text{% raw %}{{x}}{% endraw %}\nuser:\n{{question}}",
    "system:\nThe user: says {{tone}}.\nuser:\n{{question}}",
    "system:\n{% set n = rules | length %}{{ n + 1 }}\nuser:\n{{ 'many' if rules | length > 1 else 'few' }}",
)
VARIABLES: tuple[dict[str, Any], ...] = (
    {"tone": "kind", "question": "Why?", "rules": ["a", "b"], "customer": {"name": "Ann", "town": "Köln"}},
    {"tone": "stern", "question": " two\nlines ", "rules": ["<&>"], "customer": {"name": "{{x}}", "town": ""}},
    {"tone": "{% x %}", "question": "😀", "rules": ["x", "y", "z"], "customer": {"name": "B", "town": "C"}},
    {"tone": "odd", "question": "is it: 5?", "rules": ["one"], "customer": {"name": "D", "town": "E"}},
)


def ours(text: str, variables: dict[str, Any]) -> list[list[str]]:
    prompt = load_prompt("prompts/a.prompty", text.encode(), lambda _: None, PromptOptions(model="m"))
    return [[message["role"], message["content"]] for message in fill_messages(prompt.messages, variables)]


@pytest.mark.long
def test_every_file_becomes_the_messages_of_the_original() -> None:
    cases = [(f"{FRONT}{body}", values) for body, values in itertools.product(BODIES, VARIABLES)]
    assert len(cases) >= 60
    lines = [json.dumps({"text": text, "variables": values}) for text, values in cases]
    command = [str(tools.prompty()), str(SCRIPT)]
    done = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, timeout=300, check=True)
    theirs = [json.loads(line[1:]) for line in done.stdout.splitlines() if line.startswith("@")]
    differences = [
        (text, values, expected, ours(text, values))
        for (text, values), expected in zip(cases, theirs, strict=True)
        if ours(text, values) != expected
    ]
    assert differences == []
