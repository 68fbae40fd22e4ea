"""Translate the Handlebars of a dotprompt file into Jinja, message by message; what has no counterpart is a problem.

Read are variables, `if`, `unless`, `each`, `with`, `ifEquals`, `unlessEquals`, `else`, comments, partials and `role`.
Nothing is escaped, as dotprompt does it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import field

from promptci.lazy_dataclass import dataclass
from promptci.prompts.template.template_text import TemplateProblem

MAX_PARTIAL_DEPTH = 10
MAX_PROBLEMS = 20
HINT = "docs/formats.md lists what of dotprompt is read."
ROLES = {"system": "system", "user": "user", "model": "assistant", "assistant": "assistant"}
UNSUPPORTED = ("media", "history", "section", "json", "lookup", "log")
"""Helpers that dotprompt has and promptci does not."""
LEFT, RIGHT = "\1", "\2"
"""Stand in a tag where `-` may take the white space beside it."""
_TAG = re.compile(
    r"\{\{!--.*?--\}\}|\{\{\{(?P<raw>[^{}]*)\}\}\}|\{\{(?P<open>~?)(?P<body>[^{}]*?)(?P<close>~?)\}\}", re.DOTALL
)
_STANDALONE = re.compile(r"[ \t]*\Z")
_LINE_END = re.compile(r"[ \t]*(?:\r?\n|\Z)")
_PATH = re.compile(r"(?:\.\./)*(?:@?[A-Za-z_]\w*|\.)(?:\.(?:[A-Za-z_]\w*|\d+|\[\d+\]))*")
_LITERAL = re.compile(r"\"[^\"\\]*\"|'[^'\\]*'|-?\d+(?:\.\d+)?|true|false")
_WORD = re.compile(r"\"[^\"]*\"|'[^']*'|\S+")
_LOOP_VARIABLES = {"@index": "loop.index0", "@first": "loop.first", "@last": "loop.last"}

ReadPartial = Callable[[str], str | None]
"""Returns the text of a partial by its name; None where there is none."""


@dataclass(slots=True)
class TranslatedMessage:
    """One message as a Jinja template."""

    role: str
    content: str = ""


@dataclass(frozen=True, slots=True)
class _Block:
    name: str
    end: str
    has_scope: bool
    row: int


@dataclass(slots=True)
class _Translation:
    read_partial: ReadPartial
    messages: list[TranslatedMessage] = field(default_factory=lambda: [TranslatedMessage("user")])
    problems: list[TemplateProblem] = field(default_factory=list)
    blocks: list[_Block] = field(default_factory=list)
    scopes: list[str] = field(default_factory=lambda: [""])
    """What names are looked up in: empty for the case's variables, else a Jinja expression."""
    loops: int = 0

    def write(self, text: str) -> None:
        self.messages[-1].content += text

    def add_problem(self, row: int, message: str, hint: str = HINT) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(TemplateProblem(row, message, hint))


def translate(text: str, read_partial: ReadPartial) -> tuple[list[TranslatedMessage], list[TemplateProblem]]:
    """Return the messages of a template that are not empty, and what of it cannot be translated."""
    translation = _Translation(read_partial)
    _translate(text, translation, depth=0)
    translation.problems += [
        TemplateProblem(b.row, f"`{{{{#{b.name}}}}}` is not closed", HINT) for b in translation.blocks
    ]
    return [message for message in translation.messages if message.content.strip()], translation.problems


def _translate(text: str, translation: _Translation, depth: int) -> None:
    position = 0
    for match in _TAG.finditer(text):
        start, end = match.span()
        body = (match["raw"] if match["raw"] is not None else match["body"] or "!").strip()
        row = text.count("\n", 0, start)
        if body[:1] in {"#", "/", "!", ">"} or body == "else" or body.startswith("else "):
            start, end = _take_whole_line(text, start, end)
        translation.write(_escape(text[position:start]))
        position = max(position, end)
        left, right = ("-" if match["open"] else ""), ("-" if match["close"] else "")
        if body[:1] == ">":
            _insert_partial(body[1:].strip(), translation, row, depth)
        elif body[:1] != "!":
            tag = _translate_tag(body, translation, row)
            translation.write(tag.replace(LEFT, left).replace(RIGHT, right))
    translation.write(_escape(text[position:]))


def _take_whole_line(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span of a tag with the line that it has for itself, which Handlebars leaves out."""
    before = text.rfind("\n", 0, start) + 1
    after = _LINE_END.match(text, end)
    return (before, after.end()) if _STANDALONE.match(text[before:start]) and after else (start, end)


def _escape(text: str) -> str:
    return re.sub(r"\{[{%#]", lambda match: f"{{{{ '{match[0]}' }}}}", text)


def _translate_tag(body: str, translation: _Translation, row: int) -> str:
    """Return a tag in Jinja, with `LEFT` and `RIGHT` in it; empty, and a problem, where it has no counterpart."""
    words = [match[0] for match in _WORD.finditer(body)]
    try:
        if body[0] == "#":
            return _open_block(words[0][1:] or "#", words[1:], translation, row)
        if body[0] == "/":
            return _close_block(body[1:].strip(), translation)
        if body == "else" and translation.blocks:
            return f"{{%{LEFT} else {RIGHT}%}}"
        if words[0] == "role":
            _begin_message(words, translation)
            return ""
        return _fill_in(words, translation)
    except ValueError as error:
        translation.add_problem(row, f"`{{{{{body[:60]}}}}}`: {error}")
        return ""


def _fill_in(words: list[str], translation: _Translation) -> str:
    if len(words) > 1 or words[0] in UNSUPPORTED:
        raise ValueError(f"the helper `{words[0]}` is not supported")
    return f"{{{{{LEFT} {_to_expression(words[0], translation)} {RIGHT}}}}}"


def _begin_message(words: list[str], translation: _Translation) -> None:
    role = words[1].strip("\"'") if len(words) == 2 else ""
    if role not in ROLES:
        raise ValueError(f"a role is one of {', '.join(ROLES)}")
    if translation.blocks:
        raise ValueError("a role within a block is not supported")
    translation.messages.append(TranslatedMessage(ROLES[role]))


def _open_block(name: str, words: list[str], translation: _Translation, row: int) -> str:
    if name in {"ifEquals", "unlessEquals"} and len(words) == 2:
        left, right = (_to_expression(word, translation) for word in words)
        translation.blocks.append(_Block(name, "endif", has_scope=False, row=row))
        return f"{{%{LEFT} if {left} {'==' if name == 'ifEquals' else '!='} {right} {RIGHT}%}}"
    if name not in {"if", "unless", "each", "with"} or len(words) != 1:
        raise ValueError(f"the block `{name}` is not supported in this form")
    value = _to_expression(words[0], translation)
    if name == "each":
        translation.loops += 1
        variable = f"item{translation.loops}"
        translation.blocks.append(_Block(name, "endfor", has_scope=True, row=row))
        translation.scopes.append(variable)
        return f"{{%{LEFT} for {variable} in {value} {RIGHT}%}}"
    translation.blocks.append(_Block(name, "endif", has_scope=name == "with", row=row))
    if name == "with":
        translation.scopes.append(value)
    return f"{{%{LEFT} if {'not ' if name == 'unless' else ''}{value} {RIGHT}%}}"


def _close_block(name: str, translation: _Translation) -> str:
    if not translation.blocks or translation.blocks[-1].name != name:
        raise ValueError("it closes a block that is not open")
    block = translation.blocks.pop()
    if block.has_scope:
        translation.scopes.pop()
    return f"{{%{LEFT} {block.end} {RIGHT}%}}"


def _to_expression(word: str, translation: _Translation) -> str:
    """Return a path or a literal in Jinja."""
    if _LITERAL.fullmatch(word):
        return word
    if word in _LOOP_VARIABLES and any(block.name == "each" for block in translation.blocks):
        return _LOOP_VARIABLES[word]
    if not _PATH.fullmatch(word) or (word.startswith("@") and not word.startswith("@root.")):
        raise ValueError(f"`{word[:40]}` is not supported")
    levels = word.count("../")
    if levels >= len(translation.scopes):
        raise ValueError("`../` leads out of the template")
    scope = "" if word.startswith("@root.") else translation.scopes[-1 - levels]
    path = word.removeprefix("@root.").replace("../", "")
    path = re.sub(r"\A(?:this|\.)(?:\.|\Z)", "", path) if scope or path != "this" else path
    names = list(_list_names(path))
    if not scope and not names:
        raise ValueError("`this` is all variables here; name one of them")
    head, rest = (scope, names) if scope else (names[0], names[1:])
    return head + "".join(f"[{name}]" if name.isdigit() else f".{name}" for name in rest)


def _list_names(path: str) -> Iterator[str]:
    yield from (name.strip("[]") for name in path.split(".") if name)


def _insert_partial(body: str, translation: _Translation, row: int, depth: int) -> None:
    name, *arguments = body.split() or [""]
    text = translation.read_partial(name) if re.fullmatch(r"[\w-]+", name) else None
    if arguments and arguments != ["this"]:
        translation.add_problem(row, f"the partial `{name}` gets arguments, which is not supported")
    elif text is None:
        translation.add_problem(row, f"there is no partial `{name}`", f"Add the file `_{name}.prompt` beside this one.")
    elif depth >= MAX_PARTIAL_DEPTH:
        translation.add_problem(row, f"partials are nested deeper than {MAX_PARTIAL_DEPTH}, perhaps `{name}` in itself")
    else:
        problem_count = len(translation.problems)
        _translate(text, translation, depth + 1)
        translation.problems[problem_count:] = [
            TemplateProblem(row, f"in the partial `{name}`: {p.message}", p.hint)
            for p in translation.problems[problem_count:]
        ]
