"""Load prompt files: bytes and a path in, prompts out, by the table of formats."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from promptci.errors import InputError, Problem
from promptci.files.lines import decode_utf8
from promptci.lazy_import import lazy_import
from promptci.prompts import suffixes
from promptci.prompts.formats import PROMPT_FORMATS, PromptFormat
from promptci.prompts.formats.github_prompt import name_from_path
from promptci.prompts.options import PromptOptions
from promptci.prompts.source import FindFiles, ParsedFile, PromptSource, find_nothing
from promptci.wording import join_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from promptci.prompts.formats import text_layout
    from promptci.prompts.includes import ReadFile
    from promptci.prompts.model import Prompt
else:
    text_layout = lazy_import("promptci.prompts.formats.text_layout")

MARKED_SUFFIXES = tuple(suffix for suffix, prompt_format in PROMPT_FORMATS.items() if prompt_format.is_marked)
"""Endings that only prompt files have."""
DEFAULTS = PromptOptions()
WITHOUT_SETTINGS = (".txt", *suffixes.JINJA)
"""Endings of files that are nothing but the text of a prompt."""
TOKEN_LIMITS = {"max_tokens", "max_completion_tokens"}
"""Parameters of which endpoints take one."""


def is_prompt_file(path: str) -> bool:
    """Return whether a file has an ending that only prompt files have, in upper or lower case."""
    return path.lower().endswith(MARKED_SUFFIXES)


def load_prompt(path: str, data: bytes, read: ReadFile, options: PromptOptions = DEFAULTS) -> Prompt:
    """Load a file that is one prompt; `read` returns the files it includes, of the same revision.

    Raises
    ------
    InputError
        With every mistake in the file.
    """
    source = PromptSource(path=path, text=decode_utf8(data, path), read=read, options=options)
    parsed = _complete(_parse_file(source), source)
    if parsed.problems:
        raise InputError(parsed.problems)
    return parsed.prompts[0]


class PromptLoader:
    """Loads the prompts of several revisions; a file that is the same in two of them is parsed once."""

    def __init__(self) -> None:
        self._parsed: Final[dict[str, tuple[PromptSource, ParsedFile]]] = {}

    def load_prompts(
        self,
        read: ReadFile,
        files: Mapping[str, Sequence[str]],
        options: PromptOptions = DEFAULTS,
        glob: FindFiles = find_nothing,
    ) -> tuple[dict[str, Prompt], list[Problem]]:
        """Load the prompts of a revision: the usable ones by address, and every problem of the others.

        `files` holds what is meant of each file, as `find_selected_files` returns it; `glob` finds the files that
        patterns in them name. Prompts that would share a name are named by their paths.
        """
        prompts: dict[str, Prompt] = {}
        problems: list[Problem] = []
        for path, selectors in files.items():
            try:
                data = read(path)
                if data is None:
                    continue
                text = decode_utf8(data, path)
                source = PromptSource(
                    path=path, text=text, read=read, glob=glob, options=options, selectors=tuple(selectors)
                )
                parsed = _complete(self._parse(source), source)
            except InputError as error:
                problems.extend(error.problems)
            else:
                prompts |= {prompt.address: prompt for prompt in parsed.prompts}
                problems.extend(parsed.problems)
        return _separate_names(prompts), problems

    def _parse(self, source: PromptSource) -> ParsedFile:
        known, parsed = self._parsed.get(source.path, (None, None))
        if known is None or parsed is None or not _is_same(known, source) or not _stands_alone(parsed):
            parsed = _parse_file(source)
            self._parsed[source.path] = (source, parsed)
        return parsed


def load_prompts(
    read: ReadFile,
    files: Mapping[str, Sequence[str]],
    options: PromptOptions = DEFAULTS,
    glob: FindFiles = find_nothing,
) -> tuple[dict[str, Prompt], list[Problem]]:
    """Load the prompts of one revision, as PromptLoader does."""
    return PromptLoader().load_prompts(read, files, options, glob)


def _stands_alone(parsed: ParsedFile) -> bool:
    """Return whether no other file has a part in it, which may be something else at another revision."""
    return not parsed.problems and not parsed.uses_patterns and not any(prompt.includes for prompt in parsed.prompts)


def _is_same(first: PromptSource, second: PromptSource) -> bool:
    """Return whether two revisions of a file are read alike; model and parameters are added afterwards."""
    return (first.text, first.selectors, first.options.user, first.options.syntax) == (
        second.text, second.selectors, second.options.user, second.options.syntax,
    )  # fmt: skip


def _parse_file(source: PromptSource) -> ParsedFile:
    return _find_format(source).reader.parse(source)


def _find_name_problem(prompt: Prompt) -> Problem | None:
    """Return why a prompt cannot have its name, by which its golden cases are found."""
    steps = prompt.name.split("/")
    if prompt.name.startswith("/") or not {".", ".."}.isdisjoint(steps):
        message = f"the name `{prompt.name}` leads out of the folder of the golden cases"
    elif "*" in prompt.name:
        message = f"the name `{prompt.name}` is a pattern, which may mean other prompts' golden cases too"
    else:
        return None
    hint = "Write a name of letters, digits, `-`, `_` and `/` between them."
    return Problem(path=prompt.path, line=prompt.line, message=message, hint=hint)


def _complete(parsed: ParsedFile, source: PromptSource) -> ParsedFile:
    """Return the prompts of a file, with the defaults for what it does not say."""
    problems = [*parsed.problems, *filter(None, map(_find_name_problem, parsed.prompts))]
    prompts = []
    for prompt in parsed.prompts:
        own = [override for override in source.options.overrides if override.applies_to(prompt)]
        default = next((override.model for override in reversed(own) if override.model), source.options.model)
        model = prompt.model or default
        if model:
            parameters = prompt.parameters
            for defaults in (*(override.parameters for override in reversed(own)), source.options.parameters):
                parameters = _add_defaults(parameters, defaults)
            is_whole = prompt.model == model and prompt.parameters == parameters
            prompts.append(prompt if is_whole else replace(prompt, model=model, parameters=parameters))
            continue
        hint = "Add it to the file, such as `model: gpt-4o-mini`, or set `provider.model` in promptci.yml."
        message = "`model` is missing"
        if prompt.selector:
            message, hint = f"`{prompt.name}` has no model", "Set `provider.model` in promptci.yml."
        elif source.path.endswith(WITHOUT_SETTINGS):
            message, hint = f"{message}, and such a file has no place for it", "Set `provider.model` in promptci.yml."
        problems.append(Problem(path=source.path, line=prompt.line, message=message, hint=hint))
    return ParsedFile(prompts, problems)


def _find_format(source: PromptSource) -> PromptFormat:
    for suffix, prompt_format in PROMPT_FORMATS.items():
        if source.path.endswith(suffix):
            return prompt_format
    hint = f"Prompt files end with {', '.join(PROMPT_FORMATS)}. See `prompts.include` in promptci.yml."
    raise InputError([Problem(path=source.path, message="the file has no known ending of prompt files", hint=hint)])


def _add_defaults(parameters: Mapping[str, Any], defaults: Mapping[str, Any]) -> Mapping[str, Any]:
    has_limit = not TOKEN_LIMITS.isdisjoint(parameters)
    added = {key: value for key, value in defaults.items() if not (has_limit and key in TOKEN_LIMITS)}
    return {**added, **parameters}


def _separate_names(prompts: dict[str, Prompt]) -> dict[str, Prompt]:
    """Return the prompts with distinct names: one that is used twice is replaced by the path without its ending."""
    addresses_by_name: dict[str, list[str]] = {}
    for address, prompt in prompts.items():
        addresses_by_name.setdefault(prompt.name, []).append(address)
    return {
        address: prompt if len(addresses) == 1 else _name_by_path(prompt, addresses)
        for address, prompt in prompts.items()
        for addresses in [addresses_by_name[prompt.name]]
    }


def _name_by_path(prompt: Prompt, addresses: Sequence[str]) -> Prompt:
    """Return the prompt under its path, with a note that names the others of its name."""
    name = _path_name(prompt)
    others = join_names([address for address in addresses if address != prompt.address])
    note = (
        f"{prompt.path}: the name `{prompt.name}` is used in {others} too, so this prompt is called `{name}` here."
        " Releases and applications go by name: give each prompt its own."
    )
    return replace(prompt, name=name, written_name=prompt.name, notes=(*prompt.notes, note))


def _path_name(prompt: Prompt) -> str:
    """Return the path without its ending, and the selector of a part of a file: `src/prompts/SYSTEM_PROMPT`."""
    suffix = next((suffix for suffix in PROMPT_FORMATS if prompt.path.endswith(suffix)), "")
    folder, base = posixpath.split(prompt.path)
    stem = posixpath.join(folder, base.removesuffix(suffix)).rstrip("/")
    if prompt.selector:
        return f"{stem}/{text_layout.to_prompt_name(prompt.selector)}"
    return stem or prompt.path


def guess_name(path: str) -> str:
    """Return the name that a file has as a prompt where it says none."""
    if is_prompt_file(path):
        return name_from_path(path)
    suffix = next((suffix for suffix in PROMPT_FORMATS if path.endswith(suffix)), "")
    return text_layout.to_prompt_name(posixpath.basename(path).removesuffix(suffix))
