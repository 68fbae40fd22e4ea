"""Propose patterns for the prompts of a repository that are no `.prompt.yml` files."""

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from promptci.errors import InputError, Problem
from promptci.files.lines import decode_utf8
from promptci.lazy_dataclass import dataclass
from promptci.prompts import suffixes
from promptci.prompts.find import PROJECT_FILES, is_vendored
from promptci.prompts.formats.code import data_prompt, python_prompt, script_prompt
from promptci.prompts.formats.code.constants import Constant
from promptci.prompts.load import is_prompt_file, load_prompts
from promptci.prompts.options import PromptOptions, Syntax
from promptci.prompts.source import FindFiles, find_nothing
from promptci.prompts.template import template_text

MAX_FILES = 2000
"""Files that are looked into."""
MAX_BYTES = 256 * 1024
MAX_NAMES = 20
"""Constants of one file that are proposed by their names."""
TEXT_SUFFIXES = (*suffixes.TEXT, *suffixes.JINJA, *suffixes.PROMPTY, *suffixes.DOTPROMPT)
_PROMPT_FOLDERS = {"prompt", "prompts"}
_OTHER_FOLDERS = {"test", "tests", "__tests__", "docs", "doc", "examples", "goldens", "node_modules", "dist", "build"}
_NAME = re.compile(r"prompts?\b|prompts?_|_prompts?|prompt|instructions?\b|system_?message", re.IGNORECASE)
_FILE_STEM = re.compile(r"(.*[._-])?(prompts?|instructions?)([._-].*)?", re.IGNORECASE)
_PROMPTFOO = re.compile(r"(.*[._-])?promptfooconfig([._-].*)?\.(yaml|yml|json)")

Read = Callable[[str], bytes | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class PatternProposal:
    """What `promptci init` writes for the prompts that are there already."""

    include: tuple[str, ...] = ()
    syntax: Syntax | None = None
    unreadable: tuple[Problem, ...] = ()
    """Files and constants that look like prompts and cannot be read."""
    unread_scripts: tuple[str, ...] = ()
    """TypeScript and JavaScript files that may hold prompts, where the extra `code` is not installed."""


def propose_patterns(paths: Iterable[str], read: Read, glob: FindFiles = find_nothing) -> PatternProposal:
    """Return patterns that reach every prompt found in text, code and data files, and nothing that cannot be read."""
    texts: list[str] = []
    include: list[str] = []
    unreadable: list[Problem] = []
    unread: list[str] = []
    listed = list(paths)
    promptfoo, used = _find_promptfoo(listed, read, glob)
    candidates = [path for path in listed if _is_candidate(path) and path not in used][:MAX_FILES]
    for path in candidates:
        try:
            data = read(path)
            if data is None or len(data) > MAX_BYTES or not data.strip():
                continue
            text = decode_utf8(data, path)
            if path.endswith(TEXT_SUFFIXES):
                texts.append(path)
            else:
                constants = _list_constants(path, text)
                include += [f"{path}{selector}" for selector in _choose_selectors(constants)]
                unreadable += _list_unreadable(path, constants)
        except InputError as error:
            unread += [path for problem in error.problems if problem.message == script_prompt.NEEDS_EXTRA]
    syntax = _find_syntax(texts, read)
    _, problems = load_prompts(read, dict.fromkeys(texts, ()), PromptOptions(model="-", syntax=syntax))
    broken = {problem.path for problem in problems}
    patterns = _group_texts([path for path in texts if path not in broken], {*broken, *used})
    reachable = (*patterns, *include, *promptfoo)
    return PatternProposal(
        include=reachable, syntax=syntax, unreadable=(*problems, *unreadable), unread_scripts=tuple(unread)
    )


def _find_promptfoo(paths: Iterable[str], read: Read, glob: FindFiles) -> tuple[list[str], set[str]]:
    """Return the configurations of promptfoo that have a prompt which can be read, and the files that they use."""
    named = [path for path in paths if _PROMPTFOO.fullmatch(posixpath.basename(path)) and not is_vendored(path)]
    readable: list[str] = []
    used: set[str] = set()
    for path in named:
        files: set[str] = set()
        prompts, _ = load_prompts(_record_reads(read, files), {path: ()}, PromptOptions(model="-"), glob)
        if prompts:
            readable.append(path)
            used |= files
    return readable, used


def _record_reads(read: Read, files: set[str]) -> Read:
    def record(path: str) -> bytes | None:
        files.add(path)
        return read(path)

    return record


def _is_candidate(path: str) -> bool:
    *folders, name = path.split("/")
    if is_prompt_file(path) or is_vendored(path) or PROJECT_FILES.fullmatch(name):
        return False
    if folders[:2] == [".github", "workflows"]:  # prompts.yml there is the workflow that runs promptci
        return False
    if _OTHER_FOLDERS & {folder.lower() for folder in folders}:
        return False
    if path.endswith((*suffixes.PROMPTY, *suffixes.DOTPROMPT)):
        return not name.startswith("_")  # a partial of dotprompt
    stem = name.partition(".")[0]
    is_called_prompt = bool(_PROMPT_FOLDERS & {folder.lower() for folder in folders}) or bool(
        _FILE_STEM.fullmatch(stem)
    )
    if path.endswith(suffixes.CODE):
        return not name.startswith("test_")
    return is_called_prompt and path.endswith((*TEXT_SUFFIXES, *suffixes.DATA))


def _list_constants(path: str, text: str) -> Sequence[Constant]:
    if path.endswith(suffixes.DATA):
        return [constant for constant in data_prompt.list_values(path, text) if _is_prompt_value(constant)]
    if not _NAME.search(text):
        return []
    reader = python_prompt.list_constants if path.endswith(".py") else script_prompt.list_constants
    return [constant for constant in reader(path, text) if _NAME.search(constant.name)]


def _is_prompt_value(constant: Constant) -> bool:
    """Return whether a value of a data file in a place of prompts is one: several words, or messages."""
    if constant.value is None:
        return False
    if isinstance(constant.value, tuple):
        return True
    return sum(len(part.split()) for part in constant.value.parts if isinstance(part, str)) > 2


def _choose_selectors(constants: Sequence[Constant]) -> Iterator[str]:
    """Yield `:*_PROMPT` where it reaches several constants that can all be read, and the names of the others."""
    group = [constant for constant in constants if re.fullmatch(r":[A-Z0-9_]+_PROMPT", constant.selector)]
    is_pattern = len(group) > 1 and all(constant.value is not None for constant in group)
    if is_pattern:
        yield ":*_PROMPT"
    rest = [each.selector for each in constants if each.value is not None and not (is_pattern and each in group)]
    inner = [selector for selector in rest if any(selector.startswith(f"{other}/") for other in rest)]
    yield from [selector for selector in rest if selector not in inner][:MAX_NAMES]


def _list_unreadable(path: str, constants: Iterable[Constant]) -> Iterator[Problem]:
    for constant in constants:
        if constant.value is None and re.search(r"prompt", constant.name, re.IGNORECASE):
            message = f"`{constant.name}` looks like a prompt and cannot be read: {constant.unreadable}"
            yield Problem(path=path, line=constant.line, message=message, hint="Write its text in this file.")


def _find_syntax(paths: Sequence[str], read: Read) -> Syntax | None:
    """Return `{name}` where texts write variables so, and none of them writes `{{name}}`."""
    plain = [path for path in paths if path.endswith(suffixes.TEXT)]
    texts = [(read(path) or b"").decode(errors="replace") for path in plain]
    has_braces = [text for text in texts if "{" in text or "}" in text]
    return "{name}" if has_braces and all(map(template_text.is_format_template, has_braces)) else None


def _group_texts(paths: Sequence[str], broken: Iterable[str]) -> Iterator[str]:
    """Yield one pattern for the texts of one folder with one ending, or their paths where it would reach others."""
    groups: dict[str, list[str]] = {}
    for path in paths:
        folder, name = posixpath.split(path)
        pattern = posixpath.join(folder, f"*{posixpath.splitext(name)[1]}")
        groups.setdefault(pattern, []).append(path)
    for pattern, members in groups.items():
        folder = posixpath.dirname(pattern)
        is_prompt_folder = bool(_PROMPT_FOLDERS & set(folder.lower().split("/")))
        is_clean = not any(posixpath.dirname(path) == folder for path in broken)
        yield from [pattern] if is_prompt_folder and is_clean else members
