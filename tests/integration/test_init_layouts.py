"""`promptci init` and `promptci check` work on repositories as people have them, without a change to a prompt.

Twenty layouts, written after the counts of where prompts are in public repositories.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest
from fakes.repo import RepoBuilder
from support.cli_runs import call_promptci, run_command
from support.daily import some_daily
from support.repositories import BAD, GOOD, goldens, model, serving

MARK = "@@"
"""Stands for the instruction in the files of a layout."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A repository as it is before promptci."""

    files: dict[str, str]
    prompt: str
    found: str = ""
    """Pattern that `init` proposes; empty: the default one reaches the prompt."""
    cases: str = "goldens/{}.jsonl"
    """Where golden cases are; empty: the prompt's own files have them."""


TABLE = "input,__expected\n" + "".join(
    f"Where is GH-{n}?,contains:GH-{n}\nIs it GH-{n}?,GH-{n}\n" for n in range(1, 13)
)
GITHUB = "model: gpt-4o-mini\nmessages:\n- {role: system, content: @@}\n- {role: user, content: '{{input}}'}\n"
TEST_DATA = "testData:\n" + "".join(f"- {{input: 'Where is GH-{n}?', expected: GH-{n}}}\n" for n in range(1, 13))
EVALUATOR = "evaluators:\n- {name: same, string: {equals: '{{expected}}'}}\n"
LAYOUTS = {
    "prompt file at the root": Layout(files={"order.prompt.yml": GITHUB}, prompt="order"),
    "prompt file with its own cases": Layout(
        files={"order.prompt.yml": f"{GITHUB}{TEST_DATA}{EVALUATOR}"}, prompt="order", cases=""
    ),
    "prompt files of GitHub": Layout(files={".github/prompts/order.prompt.yml": GITHUB}, prompt="order"),
    "markdown in a folder": Layout(files={"prompts/order.md": "@@\n"}, prompt="order", found="prompts/*.md"),
    "system message": Layout(files={"prompts/system.md": "# Task\n\n@@\n"}, prompt="system", found="prompts/*.md"),
    "front matter": Layout(
        files={"prompts/order.md": "---\nmodel: gpt-4o-mini\ntemperature: 0\n---\n@@\n"},
        prompt="order", found="prompts/*.md"
    ),
    "text at the root": Layout(files={"order_prompt.txt": "@@\n"}, prompt="order_prompt", found="order_prompt.txt"),
    "texts beside a README": Layout(
        files={"prompts/order.txt": "@@\n", "prompts/README.md": "How to write prompts."}, prompt="order",
        found="prompts/*.txt",
    ),
    "texts with one variable": Layout(
        files={"prompts/order.txt": "@@\nMessage: {input}\n"}, prompt="order", found="prompts/*.txt"
    ),
    "jinja": Layout(
        files={"prompts/order.j2": "{% if true %}@@{% endif %}\n"}, prompt="order", found="prompts/*.j2"
    ),
    "constant in Python": Layout(
        files={"src/prompts.py": 'import os\n\nORDER_PROMPT = """@@"""\nVERSION = os.name\n'}, prompt="ORDER_PROMPT",
        found="src/prompts.py:ORDER_PROMPT",
    ),
    "several constants in Python": Layout(
        files={"src/prompts.py": 'ORDER_PROMPT = """@@"""\nOTHER_PROMPT = "Greet the user."\n'}, prompt="ORDER_PROMPT",
        found="src/prompts.py:*_PROMPT",
    ),
    "template of LangChain": Layout(
        files={"app/chains.py": "from langchain_core.prompts import ChatPromptTemplate\n\norder_prompt = "
               "ChatPromptTemplate.from_messages([('system', '@@'), ('user', '{input}')])\n"},
        prompt="order_prompt", found="app/chains.py:order_prompt",
    ),
    "typescript": Layout(
        files={"src/prompts.ts": "export const orderPrompt = `@@`;\n"},
        prompt="orderPrompt", found="src/prompts.ts:orderPrompt"
    ),
    "javascript": Layout(
        files={"lib/prompts.js": "module.exports.ORDER = 1;\nconst ORDER_PROMPT = '@@';\n"}, prompt="ORDER_PROMPT",
        found="lib/prompts.js:ORDER_PROMPT",
    ),
    "values of a YAML file": Layout(
        files={"prompts.yaml": "order:\n  system: @@\n  user: '{{input}}'\n"},
        prompt="order", found="prompts.yaml#/order"
    ),
    "values of a TOML file": Layout(
        files={"prompts.toml": "[order]\nsystem = '@@'\nuser = '{{input}}'\n"},
        prompt="order", found="prompts.toml#/order"
    ),
    "prompty": Layout(
        files={"order.prompty": "---\nname: order\nmodel: gpt-4o\n---\nsystem:\n@@\nuser:\n{{input}}\n"},
        prompt="order",
        found="order.prompty",
    ),
    "promptfoo with a table": Layout(
        files={"promptfooconfig.yaml": "prompts: [file://p.txt]\nproviders: [openai:gpt-4o-mini]\ntests: file://t.csv\n",
               "p.txt": "@@\n{{input}}", "t.csv": TABLE},
        prompt="p", found="promptfooconfig.yaml", cases="",
    ),
    "prompts among code and notebooks": Layout(
        files={"prompts/order.md": "@@\n", "analysis.ipynb": '{"cells": [], "metadata": {}}',
        "src/app.py": "print(1)\n"},
        prompt="order", found="prompts/*.md",
    ),
}  # fmt: skip


def test_there_are_twenty_layouts() -> None:
    assert len(LAYOUTS) == 20


@pytest.mark.parametrize("name", some_daily(LAYOUTS, 8))
def test_a_repository_is_set_up_and_a_regression_blocked(name: str, tmp_path: Path) -> None:
    layout = LAYOUTS[name]

    def written(instruction: str) -> dict[str, str]:
        return {path: text.replace(MARK, instruction) for path, text in layout.files.items()}

    cases = {layout.cases.format(layout.prompt): goldens(12)} if layout.cases else {}
    builder = RepoBuilder(tmp_path / "shop")
    builder.write({**written(GOOD), **cases}).commit("app")
    done = call_promptci(["init", "--provider", "openai"], builder.path, {})
    assert (done.returncode, layout.found in done.stdout) == (0, True), done.stdout
    assert not (builder.path / "prompts" / "email-finder.prompt.yml").exists()
    with serving(model) as server:
        config = (builder.path / "promptci.yml").read_text()
        config = config.replace("https://api.openai.com/v1", server.base_url).replace("mode: advise", "mode: block")
        config = config.replace("\nrun:", "\nrun:\n  repeats: 1\n  concurrency: 8").replace(
            "gate:", "gate:\n  max_p95_increase: null"
        )
        builder.write({"promptci.yml": config.replace("  budget_usd: 1.00\n", "")}).commit("init")
        builder.branch("pr").write(written(BAD)).commit("worse")
        result = run_command(builder.path, ["check", "--base", "main"], tmp_path / "out")
    assert (result.verdict, layout.prompt in result.text) == ("fail", True)
