"""Check that the prompts of a repository are covered: a prompt that stops being tested is never "no change"."""

import difflib
import posixpath
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from promptci.config.model import DEFAULT_INCLUDE, Config
from promptci.errors import InputError, Problem
from promptci.files import strict_yaml
from promptci.git.changes import FileChange, find_renames
from promptci.git.snapshot import Snapshot, WorkTree
from promptci.pipeline.collection.change_reasons import MIN_SIMILARITY, PromptPair, similarity
from promptci.prompts import suffixes
from promptci.prompts.find import (
    find_prompt_files,
    find_selected_files,
    find_unmatched_prompt_files,
    is_vendored,
)
from promptci.prompts.load import MARKED_SUFFIXES, guess_name, is_prompt_file, load_prompts
from promptci.prompts.model import Prompt
from promptci.prompts.options import PromptOptions
from promptci.prompts.patterns import ANY_PART, parse_pattern, selects
from promptci.wording import join_names

MAX_SHOWN = 3
_TEXTS_AND_DATA = (*suffixes.TEXT, *suffixes.JINJA, *suffixes.DATA)
ONLY_PROMPTS = (*suffixes.PROMPTY, *suffixes.DOTPROMPT, *(f".prompt{ending}" for ending in _TEXTS_AND_DATA))
"""Endings of files that are prompts wherever they are."""
MAYBE_PROMPTS = (*_TEXTS_AND_DATA, *suffixes.CODE)
"""Endings of files that are prompts where prompts are."""
_MESSAGES = re.compile(r"^[\s{\"']*messages[\"']?\s*:", re.MULTILINE)
"""The key that every prompt has, in a file of any format."""


def check_patterns(
    head: Snapshot, configs: Sequence[Config], config_path: str, *, had_prompts: bool = False
) -> tuple[list[Problem], list[str]]:
    """Return a problem for each pattern of `prompts.include` that reaches nothing, and notes on files it misses.

    `configs` are those of both revisions: what either of them covers is covered. `had_prompts` says that base has
    prompts, so that their deletion is reported as such.
    """
    patterns = tuple(dict.fromkeys(pattern for config in configs for pattern in config.prompts.include))
    missed = find_unmatched_prompt_files(head, patterns)
    hint = f"Add a pattern to `prompts.include` that covers {join_names(missed, MAX_SHOWN)}." if missed else ""
    if not find_prompt_files(head, patterns):
        if had_prompts and not missed:
            return [], []
        message = f"no file matches `prompts.include` ({', '.join(f'`{pattern}`' for pattern in patterns)})"
        return [Problem(path=config_path, message=message, hint=hint or "Add a prompt file such as x.prompt.yml.")], []
    written = {
        pattern for config in configs if config.prompts.include != DEFAULT_INCLUDE for pattern in config.prompts.include
    }
    idle = [pattern for pattern in patterns if pattern in written and not find_prompt_files(head, [pattern])]
    if idle and missed:
        named = join_names([f"`{pattern}`" for pattern in idle], MAX_SHOWN)
        message = f"no file matches the pattern {named} of `prompts.include`"
        return [Problem(path=config_path, message=message, hint=hint)], []
    if not missed:
        return [], []
    count = "1 prompt file matches" if len(missed) == 1 else f"{len(missed)} prompt files match"
    verb = "is" if len(missed) == 1 else "are"
    return [], [f"{count} no pattern of `prompts.include` and {verb} not tested: {join_names(missed, MAX_SHOWN)}."]


def find_dropped_prompts(
    pairs: Iterable[PromptPair], revisions: tuple[tuple[Snapshot, Config], tuple[Snapshot, Config]], config_path: str
) -> list[Problem]:
    """Return a problem for each prompt whose file is still there, and that only base's configuration finds."""
    (base, base_config), (head, head_config) = revisions
    patterns, own = base_config.prompts.include, head_config.prompts.include
    if not base_config.present or patterns == own:
        return []
    before, after = find_selected_files(base, patterns), find_selected_files(head, own)
    problems = []
    for pair in pairs:
        if pair.base and pair.head and _is_selected(pair.base, before) and not _is_selected(pair.head, after):
            message = f"`{pair.head.name}` is no longer tested after this change: no pattern of `prompts.include`"
            message += f" reaches {pair.head.address}"
            hint = "Correct the pattern, or delete the prompt."
            problems.append(Problem(path=config_path, message=message, hint=hint))
    return problems


def _is_selected(prompt: Prompt, selected: Mapping[str, Sequence[str]]) -> bool:
    selectors = selected.get(prompt.path)
    if selectors is None or not prompt.selector:
        return selectors is not None
    return any(selects(selector, prompt.selector) for selector in selectors)


def find_idle_selectors(
    head: Snapshot, config: Config, prompts: Iterable[Prompt], broken: Collection[str]
) -> list[Problem]:
    """Return a problem for each pattern that names a part of a file which is there, and reaches no prompt in it.

    `broken` are the files that have a problem already.
    """
    addresses = [(prompt.path, prompt.selector) for prompt in prompts]
    problems = []
    for pattern in config.prompts.include:
        files, selector = parse_pattern(pattern)
        paths = set(find_prompt_files(head, [files])) if selector else set()
        is_reached = any(path in paths and selects(selector, part) for path, part in addresses)
        if paths and not is_reached and paths.isdisjoint(broken):
            path = min(paths)
            message = f"nothing in this file matches `{selector}`, which `prompts.include` names"
            close = difflib.get_close_matches(selector, _list_parts(head, path), n=1)
            hint = f"Did you mean `{path}{close[0]}`?" if close else "Correct the pattern, or remove it."
            problems.append(Problem(path=path, message=message, hint=hint))
    return problems


def _list_parts(head: Snapshot, path: str) -> dict[str, Prompt]:
    """Return every readable constant or value of a file that could be a prompt, by its selector."""
    try:
        prompts, _ = load_prompts(head.read, {path: ANY_PART}, PromptOptions(model="-"), head.glob)
    except InputError:
        return {}
    return {prompt.selector: prompt for prompt in prompts.values()}


def note_ignored_prompts(head: Snapshot) -> list[str]:
    """Return a note on the prompt files of the working tree that git ignores: they are not tested."""
    if not isinstance(head, WorkTree):
        return []
    ignored = [path for path in head.ignored_paths(MARKED_SUFFIXES) if not is_vendored(path)]
    if not ignored:
        return []
    subject = "1 prompt file is" if len(ignored) == 1 else f"{len(ignored)} prompt files are"
    named = join_names(ignored, MAX_SHOWN)
    return [f"{subject} ignored by git and not tested: {named}. See .gitignore, or `git add --force`."]


def find_unreachable_prompts(
    pairs: Iterable[PromptPair], head: Snapshot, patterns: Sequence[str], changes: Sequence[FileChange]
) -> list[Problem]:
    """Return a problem for each prompt that seems deleted, and is only out of reach of every pattern."""
    deleted = [pair.base for pair in pairs if pair.head is None and pair.base is not None]
    if not deleted:
        return []
    renames = find_renames(changes)
    missed = _find_missed_files(head, patterns, changes, {posixpath.splitext(prompt.path)[1] for prompt in deleted})
    missed |= _find_other_formats(deleted, head, patterns, changes)
    problems = []
    for prompt in deleted:
        if (unreadable := _find_unreadable_constant(prompt, head, renames)) is not None:
            problems.append(unreadable)
            continue
        path = _find_moved_part(prompt, head, renames, patterns, changes)
        path = path or (None if prompt.selector else renames.get(prompt.path)) or _find_successor(prompt, missed)
        if path is not None:
            message = f"the prompt `{prompt.name}` was moved here from {prompt.address}, where no pattern reaches it"
            hint = "Add a pattern to `prompts.include` that covers it, or keep it where it was."
            problems.append(Problem(path=path, message=message, hint=hint))
    return problems


def _find_missed_files(
    head: Snapshot, patterns: Sequence[str], changes: Sequence[FileChange], endings: Collection[str]
) -> dict[str, str]:
    """Return the texts by path of the files that no pattern reaches and that may be prompts.

    Those are all files with an ending of prompt files, outside of vendored folders; of the files that the change adds
    or edits, those of any folder that hold messages or end as the prompts did that are sought.
    """
    covered = set(find_prompt_files(head, patterns))
    touched = {change.head_path for change in changes if change.head_path}
    paths = [*find_unmatched_prompt_files(head, patterns), *sorted(touched - covered)]
    texts = {}
    for path in dict.fromkeys(paths):
        try:
            data = head.read(path)
        except InputError:
            continue
        text = (data or b"").decode(errors="replace")
        if is_prompt_file(path) or _MESSAGES.search(text) or posixpath.splitext(path)[1] in endings:
            texts[path] = text
    return texts


def _find_other_formats(
    deleted: Iterable[Prompt], head: Snapshot, patterns: Sequence[str], changes: Sequence[FileChange]
) -> dict[str, str]:
    """Return the texts by path of new files that have a deleted prompt's name and may be prompts of another format.

    Outside of the folders where prompts were, only the endings that prompts alone have count: `docs/order.md` may be
    about anything.
    """
    covered = set(find_prompt_files(head, patterns))
    folders = {posixpath.dirname(prompt.path) for prompt in deleted}
    texts = {}
    for change in changes:
        path = change.head_path or ""
        is_new = change.kind in {"added", "renamed"} and path not in covered
        is_known = path.endswith(ONLY_PROMPTS) or (posixpath.dirname(path) in folders and path.endswith(MAYBE_PROMPTS))
        if is_new and is_known:
            texts[path] = (head.read(path) or b"").decode(errors="replace")
    return texts


def _find_unreadable_constant(
    prompt: Prompt, head: Snapshot, renames: Mapping[str | None, str | None]
) -> Problem | None:
    """Return a problem where a program still has a deleted constant's name, such as by an import."""
    path = renames.get(prompt.path) or prompt.path
    if not prompt.selector.startswith(":") or path not in head.paths():
        return None
    root = prompt.selector[1:].partition(".")[0]
    text = (head.read(path) or b"").decode(errors="replace")
    is_named = re.search(rf"(?<![\w$.]){re.escape(root)}(?![\w$])", text)
    if is_named is None or any(part.startswith(f":{root}.") for part in _list_parts(head, path)):
        return None
    message = f"`{root}` is still in this file, and no longer a text that can be read"
    hint = f"Write the text of `{prompt.selector[1:]}` here, or add a pattern to `prompts.include` where it is now."
    return Problem(path=path, line=text.count("\n", 0, is_named.start()) + 1, message=message, hint=hint)


def _find_moved_part(
    prompt: Prompt,
    head: Snapshot,
    renames: Mapping[str | None, str | None],
    patterns: Sequence[str],
    changes: Sequence[FileChange],
) -> str | None:
    """Return the address of a constant or value with most of a deleted one's text, which no pattern reaches."""
    if not prompt.selector:
        return None
    ending = posixpath.splitext(prompt.path)[1]
    touched = (change.head_path for change in changes if change.head_path and change.head_path.endswith(ending))
    selected = find_selected_files(head, patterns)
    for path in dict.fromkeys((renames.get(prompt.path) or prompt.path, *touched)):
        for part, candidate in _list_parts(head, path).items():
            is_reached = any(selects(selector, part) for selector in selected.get(path, ()))
            if not is_reached and similarity(prompt.source, candidate.source) >= MIN_SIMILARITY:
                return candidate.address
    return None


def _find_successor(prompt: Prompt, texts: Mapping[str, str]) -> str | None:
    """Return the file that has the prompt's name or most of its text."""
    names = {prompt.name, prompt.written_name}
    named = (path for path, text in texts.items() if _find_name(path, text) in names)
    similar = (path for path, text in texts.items() if similarity(prompt.source, text) >= MIN_SIMILARITY)
    return next(named, None) or next(similar, None)


def _find_name(path: str, text: str) -> str:
    """Return the name that a file has as a prompt: the one written in it, else that of the file."""
    try:
        content = strict_yaml.load(text, path).value
    except InputError:
        content = None
    written = content.get("name") if isinstance(content, dict) else None
    if isinstance(written, str) and written:
        return written
    stem = posixpath.splitext(posixpath.basename(path))[0]
    return guess_name(path) if is_prompt_file(path) else stem.removesuffix(".prompt")
