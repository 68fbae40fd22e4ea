"""`promptci init` proposes patterns for prompts as people keep them."""

import pytest

from promptci.git import globs
from promptci.prompts.discover import propose_patterns
from promptci.prompts.find import find_selected_files
from promptci.prompts.formats.code import script_prompt
from promptci.prompts.load import load_prompts
from promptci.prompts.options import PromptOptions

MACRO = "{% macro m() %}{% endmacro %}"
LAYOUTS: dict[str, tuple[dict[str, str], list[str], list[str]]] = {
    "text at the root": ({"system_prompt.txt": "Be kind.", "notes.txt": "x"}, ["system_prompt.txt"], ["system_prompt"]),
    "markdown": ({"prompts/a.md": "Be kind.", "prompts/README.md": "x"}, ["prompts/*.md"], ["a"]),
    "folder of GitHub": ({".github/prompts/fix.md": "Fix it."}, [".github/prompts/*.md"], ["fix"]),
    "nested": (
        {"app/prompts/x/system.txt": "A b", "app/prompts/y/system.txt": "C d"},
        ["app/prompts/x/*.txt", "app/prompts/y/*.txt"],
        ["app/prompts/x/system", "app/prompts/y/system"],
    ),
    "jinja": ({"prompts/a.j2": "{% if a %}x{% endif %}"}, ["prompts/*.j2"], ["a"]),
    "jinja that cannot be read": ({"prompts/a.j2": MACRO, "prompts/b.j2": "x"}, ["prompts/b.j2"], ["b"]),
    "python constants": (
        {"src/prompts.py": "A_PROMPT = 'x y'\nB_PROMPT = 'z'\nN = 1\nprompt_count = 3\n"},
        ["src/prompts.py:*_PROMPT"],
        ["A_PROMPT", "B_PROMPT"],
    ),
    "python constants, one computed": (
        {"src/prompts.py": "A_PROMPT = 'x y'\nB_PROMPT = open('z').read()\n"},
        ["src/prompts.py:A_PROMPT"],
        ["A_PROMPT"],
    ),
    "python function": (
        {"app.py": "def build_prompt(q):\n    return f'Q: {q}'\n"},
        ["app.py:build_prompt"],
        ["build_prompt"],
    ),
    "typescript": (
        {"src/lib/prompts.ts": "export const SYSTEM_PROMPT = `x`;"},
        ["src/lib/prompts.ts:SYSTEM_PROMPT"],
        ["SYSTEM_PROMPT"],
    ),
    "yaml": (
        {"prompts.yaml": "summarize:\n  system: Be very kind.\n  user: 'Text: {{t}}'\nmodel: x\n"},
        ["prompts.yaml#/summarize"],
        ["summarize"],
    ),
    "single braces": ({"prompts/a.txt": "Hi {name}"}, ["prompts/*.txt"], ["a"]),
    "tests and documents": (
        {"tests/prompts/a.md": "x", "docs/prompts.md": "x", "test_prompts.py": "A_PROMPT = 'x'"},
        [],
        [],
    ),
    "broken and large": (
        {"src/prompts.py": "A_PROMPT = (", "prompts/a.txt": "x" * 300_000, "prompts/b.txt": " "},
        [],
        [],
    ),
}  # fmt: skip


class Files(dict[str, bytes]):
    """The files of a revision."""

    def paths(self) -> tuple[str, ...]:
        return tuple(sorted(self))

    def glob(self, pattern: str) -> list[str]:
        return globs.filter_paths(pattern, self.paths())


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_prompt_that_can_be_read_is_proposed_and_loads(name: str) -> None:
    texts, patterns, names = LAYOUTS[name]
    files = Files({path: text.encode() for path, text in texts.items()})
    proposal = propose_patterns(files.paths(), files.get)
    assert list(proposal.include) == patterns
    options = PromptOptions(model="m", syntax=proposal.syntax)
    prompts, problems = load_prompts(files.get, find_selected_files(files, proposal.include), options)
    assert ([prompt.name for prompt in prompts.values()], problems) == (names, [])


def test_what_cannot_be_read_is_named() -> None:
    files = Files({"src/prompts.py": b"A_PROMPT = open('z').read()\n", "prompts/a.j2": MACRO.encode()})
    template, constant = propose_patterns(files.paths(), files.get).unreadable
    assert str(template).startswith("prompts/a.j2:1: `{% macro %}` is not supported")
    assert str(constant).startswith("src/prompts.py:1: `A_PROMPT` looks like a prompt and cannot be read: `open('z')")


def test_single_braces_are_variables_where_all_texts_write_them_so() -> None:
    def syntax(**texts: str) -> str | None:
        files = Files({f"prompts/{name}.txt": text.encode() for name, text in texts.items()})
        return propose_patterns(files.paths(), files.get).syntax

    assert syntax(a="Hi {name}", b="plain") == "{name}"
    assert syntax(a="Hi {name}", b="{{name}} x") is None
    assert syntax(a="Hi {name}", b='{"a": 1}') is None
    assert syntax(a="plain") is None


def test_scripts_that_need_the_extra_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def lack_the_extra(_: str) -> None:
        raise ImportError("tree_sitter")

    monkeypatch.setattr(script_prompt, "_build_parser", lack_the_extra)
    files = {"web/p.ts": b"export const A_PROMPT = 'Be kind.'", "web/other.ts": b"export const x = 1"}
    assert propose_patterns(files, files.get).unread_scripts == ("web/p.ts",)
