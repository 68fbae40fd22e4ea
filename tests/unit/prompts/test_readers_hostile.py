"""Every reader of prompts gets hostile files: nothing in them is run, and each ends in a prompt or a named mistake."""

import contextlib
import json
import time
from pathlib import Path

import pytest
from support.daily import some_daily

from promptci.errors import Problem
from promptci.prompts.formats import PROMPT_FORMATS
from promptci.prompts.jinja.filters import TemplateError
from promptci.prompts.load import load_prompts
from promptci.prompts.model import Message
from promptci.prompts.options import PromptOptions
from promptci.prompts.patterns import ANY_PART
from promptci.prompts.template import render
from promptci.prompts.template.filled_messages import fill_messages

SLOW_S = 20
ALIASES = "a: &a [x, x]\n" + "".join(
    f"{name}: &{name} [*{last}, *{last}, *{last}]\n" for last, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def hostile_texts(mark: str) -> dict[str, str]:
    """Return texts that would create the file `mark` if anything in them were run."""
    write = f"open({mark!r}, 'w').write('x')"
    return {
        "python": f"import os\n{write}\nSYSTEM_PROMPT = {write} or 'text'\nclass P:\n    X_PROMPT = [{write}]\n",
        "script": f"require('fs').writeFileSync({json.dumps(mark)}, 'x'); export const A = `${{{write}}}`;",
        "yaml object": f"!!python/object/apply:builtins.exec [{json.dumps(write)}]\n",
        "yaml key": f"messages: !!python/name:os.system\nmodel: !!python/object/apply:os.system ['touch {mark}']\n",
        "yaml aliases": ALIASES,
        "front matter": f"---\nmodel: !!python/object/apply:os.system ['touch {mark}']\n---\nuser:\nhi\n",
        "jinja": f"{{{{ cycler.__init__.__globals__.os.system('touch {mark}') }}}}",
        "jinja attr": "{{ ''|attr('__class__')|attr('__mro__') }}{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "handlebars": "{{#each constructor}}{{lookup . 'constructor'}}{{/each}}{{__proto__.x}}",
        "handlebars deep": "{{#if a}}" * 3000,
        "promptfoo": json.dumps({"prompts": [f"exec:touch {mark}", f"file://{mark}.py"], "tests": ["file://../../etc"],
                                 "providers": [f"exec:touch {mark}"], "extensions": [f"file://{mark}.js"]}),
        "langchain": json.dumps({"lc": 1, "id": ["os", "system"], "kwargs": {"command": f"touch {mark}"}}),
        "nested": "[" * 3000,
        "role lines": "system:\n" * 20_000,
        "nul": "\0system:\n\0",
    }  # fmt: skip


KINDS = tuple(hostile_texts(""))


SUFFIX_BY_READER = {str(prompt_format.reader): suffix for suffix, prompt_format in PROMPT_FORMATS.items()}
"""One ending for each reader."""


@pytest.mark.parametrize("suffix", some_daily([*SUFFIX_BY_READER.values(), ".json"], 4))
def test_nothing_in_a_hostile_file_is_run(tmp_path: Path, suffix: str) -> None:
    mark = str(tmp_path / "was-run")
    started = time.process_time()
    for kind in KINDS:
        path = f"prompts/order{suffix}"
        data = hostile_texts(mark)[kind].encode()
        for selectors in ((), ANY_PART):
            prompts, problems = load_prompts({path: data}.get, {path: selectors}, PromptOptions(model="m"))
            assert all(isinstance(problem, Problem) for problem in problems)
            for prompt in prompts.values():
                try_to_fill(prompt.messages)
    assert not Path(mark).exists()
    assert time.process_time() - started < SLOW_S


def try_to_fill(messages: tuple[Message, ...]) -> None:
    """Fill the messages in; a template may be refused by the errors that a run reports."""
    with contextlib.suppress(render.MissingVariable, render.MessageTooLong, TemplateError):
        tuple(fill_messages(messages, {"input": "x", "a": "1"}))
