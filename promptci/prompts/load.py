"""Bytes and a path in, a Prompt out, by the table of formats."""

from collections.abc import Iterable

from promptci.errors import InputError, Problem
from promptci.files.lines import decode_utf8
from promptci.prompts.formats import PROMPT_FORMATS
from promptci.prompts.includes import ReadFile
from promptci.prompts.model import Prompt


def load_prompt(path: str, data: bytes, read: ReadFile) -> Prompt:
    """Read one prompt file; `read` gives the files it includes, of the same revision.

    Raises
    ------
    InputError
        With every mistake in the file.
    """
    suffix = next((suffix for suffix in PROMPT_FORMATS if path.endswith(suffix)), None)
    if suffix is None:
        fix = f"Prompt files end with {', '.join(PROMPT_FORMATS)}; see `prompts.include`."
        raise InputError([Problem(path=path, message="this is not a prompt file that can be read", hint=fix)])
    return PROMPT_FORMATS[suffix].parse(path, decode_utf8(data, path), read)


def load_prompts(read: ReadFile, paths: Iterable[str]) -> tuple[dict[str, Prompt], list[Problem]]:
    """Read the prompt files of a revision: those that can be used, by path, and every problem of the others."""
    found: dict[str, Prompt] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            data = read(path)
            if data is not None:
                found[path] = load_prompt(path, data, read)
        except InputError as error:
            problems.extend(error.problems)
    return found, problems + _find_duplicate_names(found)


def _find_duplicate_names(prompts: dict[str, Prompt]) -> list[Problem]:
    """Two prompts of one name would share goldens, reports and versions: the second is refused."""
    first: dict[str, str] = {}
    problems = []
    for path, prompt in list(prompts.items()):
        other = first.setdefault(prompt.name, path)
        if other != path:
            what = f"{other} already has the name `{prompt.name}`"
            problems.append(Problem(path=path, message=what, hint="Give it another `name`."))
            del prompts[path]
    return problems
