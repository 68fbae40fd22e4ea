"""Load prompt files: bytes and a path in, a Prompt out, by the table of formats."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from promptci.errors import InputError, Problem
from promptci.files.lines import decode_utf8
from promptci.prompts.formats import PROMPT_FORMATS
from promptci.wording import join_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from promptci.prompts.includes import ReadFile
    from promptci.prompts.model import Prompt


def is_prompt_file(path: str) -> bool:
    """Return whether a file has an ending of prompt files, in upper or lower case."""
    return path.lower().endswith(tuple(PROMPT_FORMATS))


def load_prompt(path: str, data: bytes, read: ReadFile, default_model: str | None = None) -> Prompt:
    """Load one prompt file; `read` returns the files it includes, of the same revision.

    Raises
    ------
    InputError
        With every mistake in the file.
    """
    return _complete(_parse(path, data, read), default_model)


class PromptLoader:
    """Loads the prompt files of several revisions; one that is the same in two of them is parsed once."""

    def __init__(self) -> None:
        self._parsed: Final[dict[str, tuple[bytes, Prompt]]] = {}

    def load_prompts(
        self, read: ReadFile, paths: Iterable[str], default_model: str | None = None
    ) -> tuple[dict[str, Prompt], list[Problem]]:
        """Load the prompt files of a revision: the usable ones by path, and every problem of the others.

        Prompts that would share a name are named by their paths.
        """
        prompts: dict[str, Prompt] = {}
        problems: list[Problem] = []
        for path in paths:
            try:
                data = read(path)
                if data is not None:
                    prompts[path] = _complete(self._parse(path, data, read), default_model)
            except InputError as error:
                problems.extend(error.problems)
        return _separate_names(prompts), problems

    def _parse(self, path: str, data: bytes, read: ReadFile) -> Prompt:
        known_data, prompt = self._parsed.get(path, (b"", None))
        # What a prompt includes may be something else at another revision.
        if prompt is None or known_data != data or prompt.includes:
            prompt = _parse(path, data, read)
            self._parsed[path] = (data, prompt)
        return prompt


def load_prompts(
    read: ReadFile, paths: Iterable[str], default_model: str | None = None
) -> tuple[dict[str, Prompt], list[Problem]]:
    """Load the prompt files of one revision, as PromptLoader does."""
    return PromptLoader().load_prompts(read, paths, default_model)


def _parse(path: str, data: bytes, read: ReadFile) -> Prompt:
    suffix = next((suffix for suffix in PROMPT_FORMATS if path.endswith(suffix)), None)
    if suffix is None:
        hint = f"Prompt files end with {', '.join(PROMPT_FORMATS)}. See `prompts.include` in promptci.yml."
        raise InputError([Problem(path=path, message="the file has no known ending of prompt files", hint=hint)])
    return PROMPT_FORMATS[suffix].parse(path, decode_utf8(data, path), read)


def _complete(prompt: Prompt, default_model: str | None) -> Prompt:
    """Return the prompt with a model: its own, else the default one."""
    if prompt.model:
        return prompt
    if not default_model:
        hint = "Add `model: openai/gpt-4o-mini` to the file, or set `provider.model` in promptci.yml."
        raise InputError([Problem(path=prompt.path, line=1, message="`model` is missing", hint=hint)])
    return replace(prompt, model=default_model)


def _separate_names(prompts: dict[str, Prompt]) -> dict[str, Prompt]:
    """Return the prompts with distinct names: one that is used twice is replaced by the path without its ending."""
    paths_by_name: dict[str, list[str]] = {}
    for path, prompt in prompts.items():
        paths_by_name.setdefault(prompt.name, []).append(path)
    return {
        path: prompt if len(paths_by_name[prompt.name]) == 1 else _name_by_path(prompt, paths_by_name[prompt.name])
        for path, prompt in prompts.items()
    }


def _name_by_path(prompt: Prompt, paths: Sequence[str]) -> Prompt:
    """Return the prompt under its path, with a note that names the other files of its name."""
    name = _path_name(prompt.path)
    others = join_names([path for path in paths if path != prompt.path])
    note = (
        f"{prompt.path}: the name `{prompt.name}` is used in {others} too, so this prompt is called `{name}` here."
        " Releases and applications go by name: give each prompt its own."
    )
    return replace(prompt, name=name, written_name=prompt.name, notes=(*prompt.notes, note))


def _path_name(path: str) -> str:
    suffix = next((suffix for suffix in PROMPT_FORMATS if path.endswith(suffix)), "")
    folder, base = posixpath.split(path)
    return posixpath.join(folder, base.removesuffix(suffix)).rstrip("/") or path
