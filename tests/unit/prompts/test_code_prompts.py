"""Prompts in Python, TypeScript and data files: read without running, each with its own fingerprint."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.daily import some_daily

from promptci.errors import InputError, Problem
from promptci.prompts.formats.code import python_prompt, script_prompt
from promptci.prompts.load import load_prompts
from promptci.prompts.model import Prompt
from promptci.prompts.options import PromptOptions
from promptci.prompts.patterns import ANY_PART, parse_pattern, selects

OPTIONS = PromptOptions(model="m")
PYTHON = '''\
import os, textwrap
from string import Template
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder, PromptTemplate
from shared import TONE

VERSION = 3
RULES = "Be kind. " "Be brief."
SYSTEM_PROMPT = f"{RULES} Answer as JSON: {{\\"a\\": 1}}"
ANSWER_PROMPT: str = "Context: {context}\\n" + "Question: {question}"
JSON_PROMPT = 'Write {"id": 1}.'
DEDENTED = textwrap.dedent("""\\
    One
      {x}
    """).strip()
DOLLAR = Template("Dear $name")
CHAT = ChatPromptTemplate.from_messages(
    [("system", RULES), MessagesPlaceholder("history"), ("human", "{input} {{raw}}")]
)
ONE = PromptTemplate.from_template("Hi {name}")
JINJA = PromptTemplate(template="{% if a %}A{% endif %}", template_format="jinja2", input_variables=["a"])
MESSAGES = [{"role": "system", "content": SYSTEM_PROMPT}, {"role": "user", "content": "{q}"}]
PROMPTS = {"summarize": "Summarize: {text}", "deep": {"er": "x"}}
JOINED = "\\n".join(["a", "b"])


class Prompts:
    GREETING = "Hello"
    SECOND = RULES + " Twice."


def build(user, order):
    """Return the prompt."""
    return f"Dear {user.name}, {RULES} {order['id']}"


COMPUTED = open("secret").read()
IMPORTED = f"{TONE} x"
TWICE = "a"
TWICE += "b"
FORMATTED = f"{VERSION:03d}"
'''
SCRIPT = """\
import { TONE } from "./tone";
const RULES = 'Be kind.';
export const SYSTEM_PROMPT = `${RULES} Say \\`hi\\`\\u0041\\n` as const;
export const ASK = "Question: {q} " + RULES;
export const PROMPTS = { summarize: `Sum: {{text}}`, "deep-er": { x: "y" } } satisfies object;
export const MESSAGES = [{ role: "system", content: RULES }, { role: "user", content: "{{q}}" }];
export const build = (user: User) => dedent`
    Dear ${user.name},
      ${RULES}
`;
export function ask(q: string) { return `Q: ${q}`.trim(); }
export const JOINED = ["a", RULES].join("\\n");
export const COMPUTED = fetch("x");
export const IMPORTED = `${TONE}`;
let CHANGED = "x";
"""


def load(path: str, text: str, *selectors: str) -> tuple[dict[str, Prompt], list[Problem]]:
    return load_prompts({path: text.encode()}.get, {path: selectors}, OPTIONS)


def messages(prompt: Prompt) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in prompt.messages]


def read_all(path: str, text: str) -> tuple[dict[str, list[tuple[str, str]]], list[str]]:
    prompts, problems = load(path, text, *ANY_PART)
    return {prompt.name: messages(prompt) for prompt in prompts.values()}, [str(problem) for problem in problems]


def test_constants_of_python_are_read() -> None:
    prompts, _ = read_all("src/prompts.py", PYTHON)
    after = ("user", "{{input}}")
    assert prompts == {
        "RULES": [("system", "Be kind. Be brief."), after],
        "SYSTEM_PROMPT": [("system", 'Be kind. Be brief. Answer as JSON: {"a": 1}'), after],
        "ANSWER_PROMPT": [("user", "Context: {{context}}\nQuestion: {{question}}")],
        "JSON_PROMPT": [("system", 'Write {"id": 1}.'), after],
        "DEDENTED": [("user", "One\n  {{x}}")],
        "DOLLAR": [("user", "Dear {{name}}")],
        "CHAT": [("system", "Be kind. Be brief."), ("user", "{{input}} {raw}")],
        "ONE": [("user", "Hi {{name}}")],
        "JINJA": [("user", "{% if a %}A{% endif %}")],
        "MESSAGES": [("system", 'Be kind. Be brief. Answer as JSON: {"a": 1}'), ("user", "{{q}}")],
        "PROMPTS.summarize": [("user", "Summarize: {{text}}")],
        "PROMPTS.deep.er": [("system", "x"), after],
        "JOINED": [("system", "a\nb"), after],
        "Prompts.GREETING": [("system", "Hello"), after],
        "Prompts.SECOND": [("system", "Be kind. Be brief. Twice."), after],
        "build": [("user", "Dear {{user.name}}, Be kind. Be brief. {{order.id}}")],
    }


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("COMPUTED", "`open('secret').read()` is computed when the program runs"),
        ("IMPORTED", "`TONE` is imported or computed when the program runs"),
        ("TWICE", "it is set more than once"),
        ("FORMATTED", "formats a value"),
        ("VERSION", "`3` is computed when the program runs"),
    ],
)
def test_a_selected_constant_that_cannot_be_read_is_a_problem(name: str, reason: str) -> None:
    prompts, (problem,) = load("src/prompts.py", PYTHON, f":{name}")
    assert prompts == {}
    assert problem.message.startswith(f"`{name}` cannot be read: ")
    assert reason in problem.message
    assert f"{name} =" in PYTHON.split("\n")[(problem.line or 0) - 1]


def test_constants_of_typescript_are_read() -> None:
    prompts, problems = read_all("src/prompts.ts", SCRIPT)
    after = ("user", "{{input}}")
    assert prompts == {
        "RULES": [("system", "Be kind."), after],
        "SYSTEM_PROMPT": [("system", "Be kind. Say `hi`A\n"), after],
        "ASK": [("user", "Question: {{q}} Be kind.")],
        "PROMPTS.summarize": [("user", "Sum: {{text}}")],
        "PROMPTS.deep-er.x": [("system", "y"), after],
        "MESSAGES": [("system", "Be kind."), ("user", "{{q}}")],
        "build": [("user", "Dear {{user.name}},\n  Be kind.")],
        "ask": [("user", "Q: {{q}}")],
        "JOINED": [("system", "a\nBe kind."), after],
    }
    assert [problem.partition(". ")[0] for problem in problems] == [
        'src/prompts.ts:13: `COMPUTED` cannot be read: `fetch("x")` is computed when the program runs',
        "src/prompts.ts:14: `IMPORTED` cannot be read: `TONE` is imported or computed when the program runs",
    ]


@pytest.mark.parametrize("path", ["a.js", "a.mjs", "a.tsx", "a.jsx"])
def test_every_dialect_is_read(path: str) -> None:
    assert read_all(path, "export const A = `x`;") == ({"A": [("system", "x"), ("user", "{{input}}")]}, [])


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("p.yaml", "summarize:\n  system: Be kind.\n  user: '{text}'\nlist:\n- {role: user, content: hi}\nn: 1\n"),
        (
            "p.json",
            '{"summarize": {"system": "Be kind.", "user": "{text}"}, "list": [{"role": "user", "content": "hi"}]}',
        ),
        ("p.toml", 'list = [{role = "user", content = "hi"}]\n[summarize]\nsystem = "Be kind."\nuser = "{text}"\n'),
    ],
)
def test_values_of_data_files_are_read_by_their_path(path: str, text: str) -> None:
    prompts, problems = load(path, text, "#/summarize", "#/summarize/system", "#/list")
    assert problems == []
    assert {address: messages(prompt) for address, prompt in sorted(prompts.items())} == {
        f"{path}#/list": [("user", "hi")],
        f"{path}#/summarize": [("system", "Be kind."), ("user", "{{text}}")],
        f"{path}#/summarize/system": [("system", "Be kind."), ("user", "{{input}}")],
    }
    assert [prompts[key].name for key in sorted(prompts)] == ["list", "summarize", "summarize.system"]


def test_a_change_elsewhere_in_the_file_changes_no_other_prompt() -> None:
    before, _ = load("p.py", PYTHON, ":SYSTEM_PROMPT", ":ONE")
    after, _ = load("p.py", PYTHON.replace("Hi {name}", "Ho {name}") + "\nMORE = 1\n", ":SYSTEM_PROMPT", ":ONE")
    changed = [key for key in before if before[key].fingerprint != after[key].fingerprint]
    assert changed == ["p.py:ONE"]
    assert before["p.py:SYSTEM_PROMPT"].source == after["p.py:SYSTEM_PROMPT"].source
    assert load("p.py", PYTHON.replace("Be kind", "Be curt"), ":SYSTEM_PROMPT")[0][
        "p.py:SYSTEM_PROMPT"
    ].fingerprint != (before["p.py:SYSTEM_PROMPT"].fingerprint)


def test_a_pattern_without_a_part_names_what_can_be_read() -> None:
    _, (problem,) = load("src/p.ts", "export const A = `x`; export const B = `y`;")
    assert str(problem) == (
        "src/p.ts: the pattern does not say which part of the file is the prompt. Write `src/p.ts:A` in"
        " `prompts.include`. Readable in this file: :A, :B."
    )


@pytest.mark.parametrize(
    ("text", "files", "selector"),
    [
        ("src/prompts.py:SYSTEM_PROMPT", "src/prompts.py", ":SYSTEM_PROMPT"),
        ("src/**/*.{ts,tsx}:*_PROMPT", "src/**/*.{ts,tsx}", ":*_PROMPT"),
        ("prompts.yaml#/summarize/system", "prompts.yaml", "#/summarize/system"),
        ("**/*.prompt.yml", "**/*.prompt.yml", ""),
        ("a:b/c.txt", "a:b/c.txt", ""),
    ],
)
def test_patterns_have_a_glob_and_a_part(text: str, files: str, selector: str) -> None:
    assert parse_pattern(text) == (files, selector)


def test_a_star_stays_within_one_name() -> None:
    assert [selects(":*_PROMPT", part) for part in (":A_PROMPT", ":X.A_PROMPT", ":A_PROMPTS")] == [True, False, False]
    assert [selects("#/*/system", part) for part in ("#/a/system", "#/a/b/system", "#/system")] == [True, False, False]
    assert selects(":PROMPTS.*", ":PROMPTS.a")


HOSTILE = {
    "effect.py": "import os\nopen({target!r}, 'w').close()\nA = __import__('os').system('touch {target}')\n",
    "deep.py": "A = " + "(" * 5000 + "1" + ")" * 5000,
    "minus.py": "A = " + "-" * 100_000 + "1",
    "sum.py": "A = " + "'a' + " * 30_000 + "'a'",
    "circle.py": "A = B\nB = A",
    "double.py": f"A0 = '{'x' * 550_000}'\n" + "".join(f"A{n + 1} = A{n} + A{n}\n" for n in range(8)),
    "broken.py": "def f(:\n",
    "nul.py": "A = '\0'",
    "escape.py": r"A = '\ud800'",
    "deep.ts": "const A = " + "(" * 20_000 + "1" + ")" * 20_000,
    "sum.ts": "const A = " + "'a' + " * 30_000 + "'a'",
    "circle.ts": "const A = B; const B = A;",
    "double.ts": f"const A0 = '{'x' * 550_000}';\n" + "".join(f"const A{n + 1} = A{n} + A{n};\n" for n in range(8)),
    "broken.ts": "const A = `",
    "deep.json": "[" * 100_000,
    "deep.yaml": "[" * 100_000,
    "bomb.yaml": "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "tag.yaml": "a: !!python/object/apply:os.system ['touch {target}']\n",
    "deep.toml": "a = " + "[" * 20_000,
    "long.py": "A = '" + "x" * (2**20 + 1) + "'",
}


@pytest.mark.parametrize("name", some_daily(sorted(HOSTILE, key=lambda name: name == "double.ts"), 8))
def test_no_file_is_run_and_none_takes_long(name: str, tmp_path: Path) -> None:
    target = tmp_path / "written"
    text = HOSTILE[name].replace("{target!r}", repr(str(target))).replace("{target}", str(target))
    prompts, problems = load(name, text, *ANY_PART)
    assert not target.exists()
    assert prompts or problems
    assert all(len(message.content) <= 2**20 for prompt in prompts.values() for message in prompt.messages)


@pytest.mark.parametrize("path", ["a.py", "a.ts", "a.yaml", "a.json", "a.toml"])
@given(text=st.text(alphabet=st.sampled_from("ab_= \n\"'`{}[]().,:+$\\#-f1"), max_size=60))
def test_any_text_is_read_or_refused(path: str, text: str) -> None:
    with contextlib.suppress(InputError):
        load(path, text, *ANY_PART)


@pytest.mark.parametrize(
    "statement",
    [
        "P['order'] = BAD", "P.update(order=BAD)", "P |= {'order': BAD}", "del P['order']", "P.pop('order')",
        "from other import *", "import other as P", "def P(): return load()", "class P: pass",
        "setattr(P, 'order', BAD)",
    ],
)  # fmt: skip
def test_a_constant_of_python_that_is_changed_later_cannot_be_read(statement: str) -> None:
    constants = python_prompt.list_constants("p.py", f"P = {{'order': 'a'}}\n{statement}\n")
    unreadable = {constant.selector: constant.unreadable for constant in constants}
    assert unreadable[":P.order"] == "it is set more than once"


def test_an_import_of_everything_before_the_constant_is_fine() -> None:
    (constant,) = python_prompt.list_constants("p.py", "from other import *\nP = 'a'\n")
    assert constant.value is not None


@pytest.mark.parametrize(
    "statement",
    [
        "P.order = BAD;", "P['order'] = BAD;", "P.order += BAD;", "delete P.order;", "Object.assign(P, other);",
        "if (FAST) { P.order = BAD; }",
    ],
)  # fmt: skip
def test_a_constant_of_a_script_that_is_changed_later_cannot_be_read(statement: str) -> None:
    constants = script_prompt.list_constants("p.ts", f"const P = {{ order: 'a' }};\nconst Q = 'b';\n{statement}\n")
    unreadable = {constant.selector: constant.unreadable for constant in constants}
    assert unreadable == {":P.order": "the file changes its value after it is set", ":Q": ""}


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ('Write {"id": 1} for {q}.', "`{q}` is sent as written. If they are variables, write all other braces as"),
        ("Dear %s, of %(city)s.", "`%s`, `%(city)s` are sent as written. If they are variables, write them as"),
        ('Write {"id": 1}, at 5% done.', ""),
        ("Dear {q}, at 5%s.", ""),
    ],
)
def test_what_looks_like_a_variable_of_code_and_is_sent_as_written_is_named(text: str, note: str) -> None:
    prompts, mistakes = load("p.py", f"A_PROMPT = {text!r}\n", ":A_PROMPT")
    assert mistakes == []
    (prompt,) = prompts.values()
    notes = " ".join(prompt.notes)
    assert notes.startswith(f"p.py:1: `A_PROMPT`: {note}") if note else notes == ""
